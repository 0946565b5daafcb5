import { ONE, terraformOfPki } from "../support/cluster";
import { expectGolden, sortedJson } from "../support/golden";

test("cdk.tf.json of the first example", () => {
  expectGolden("kubeadm.tf.json", sortedJson(terraformOfPki(ONE)));
});
