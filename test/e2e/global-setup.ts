import { findTools, providerEnvironment } from "../sandbox/tools";

/** Builds what is missing before the first test, in one go: that takes minutes, and no test should wait for it. */
export default async function globalSetup(): Promise<void> {
  const progress = (line: string) => console.error(line);
  const { terraform } = await findTools(
    ["terraform", "etcd", "kube-apiserver", "kube-controller-manager", "kubemark", "kubeadm", "kubectl", "zlint"],
    { progress },
  );
  await providerEnvironment({ progress, terraform });
  // The report is compared between the two.
  await findTools(["terraform"], { progress, env: { ...process.env, TERRAFORM_BINARY_NAME: "tofu" } });
}
