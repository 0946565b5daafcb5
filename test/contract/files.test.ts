import { pkiOf } from "../support/cluster";
import { expectGolden, lines } from "../support/golden";
import { CASES } from "./cases";

// Machines, images and other tools rely on these paths and modes.

test.each(Object.entries(CASES))("files of each holder, and Secrets: %s", (name, { cluster, props }) => {
  const { pki } = pkiOf(cluster, props);
  const files = [...pki.machines, "worker", "operator"].flatMap((holder) =>
    pki.files(holder).map(({ path, mode, owner }) => `${holder} ${mode} ${owner} ${path}`),
  );
  const secrets = pki.secrets.map(({ name, type, data }) => `secret ${name} ${type} ${Object.keys(data).join(",")}`);
  expectGolden(`${name}.files.txt`, lines([...files, ...secrets]));
});
