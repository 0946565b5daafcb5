import { BootstrapToken, bootstrapKubeconfig } from "../../../lib/access";
import { Distribution, evaluate, toTerraform } from "../../../lib/kubernetes";
import { accessStack, CA_PEM } from "./fixture";

const token = () => new BootstrapToken(accessStack(), "workers", { distribution: Distribution.KUBEADM });

test("is what kubeadm writes, with the token inline", () => {
  const cluster = { name: "prod", endpoint: "api.prod.example.com:6443" };
  const content = bootstrapKubeconfig({ cluster, certificateAuthority: CA_PEM, token: token() });
  const halves: Record<string, string> = {
    "random_string.workers": "abcdef",
    "random_password.workers": "0123456789abcdef",
  };
  expect(evaluate(content, ({ address }) => halves[address]!)).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(CA_PEM).toString("base64")}
    server: https://api.prod.example.com:6443
  name: prod
contexts:
- context:
    cluster: prod
    user: tls-bootstrap-token-user
  name: tls-bootstrap-token-user@prod
current-context: tls-bootstrap-token-user@prod
kind: Config
users:
- name: tls-bootstrap-token-user
  user:
    token: abcdef.0123456789abcdef
`);
});

test("puts an IPv6 endpoint in brackets", () => {
  const cluster = { name: "prod", endpoint: "[fd00::10]:6443" };
  const content = bootstrapKubeconfig({ cluster, certificateAuthority: CA_PEM, token: token() });
  expect(toTerraform(content)).toContain("https://[fd00::10]:6443");
});
