import { Cluster } from "../../lib";
import { EXTERNAL, MEMBERS, ONE, pkiOf, THREE } from "../support/cluster";
import { expectGolden, lines } from "../support/golden";

// Machines, images and other tools rely on these paths and modes.

const CLUSTERS: Record<string, Cluster> = {
  "kubeadm-one-control-plane": ONE,
  "kubeadm-three-control-planes-and-a-worker": THREE,
  "kubeadm-etcd-members-and-a-worker": MEMBERS,
  "kubeadm-external-etcd": EXTERNAL,
};

test.each(Object.entries(CLUSTERS))("files of each holder: %s", (name, cluster) => {
  const { pki } = pkiOf(cluster);
  const list = [...pki.machines, "worker", "operator"].flatMap((holder) =>
    pki.files(holder).map(({ path, mode, owner }) => `${holder} ${mode} ${owner} ${path}`),
  );
  expectGolden(`${name}.files.txt`, lines(list));
});
