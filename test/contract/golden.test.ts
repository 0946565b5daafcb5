import { inventoryOf } from "../../lib";
import { ONE, pkiOf, terraformOfPki } from "../support/cluster";
import { expectGolden, sortedJson } from "../support/golden";
import { DISTRIBUTIONS } from "./cases";

test.each(DISTRIBUTIONS.map((distribution) => [distribution.table.name, distribution] as const))(
  "cdk.tf.json of the first example: %s",
  (name, distribution) => {
    expectGolden(`${name}.tf.json`, sortedJson(terraformOfPki(ONE, { distribution })));
  },
);

test("the inventory of the first example", () => {
  expectGolden("kubeadm.inventory.json", sortedJson(inventoryOf(pkiOf().stack)));
});
