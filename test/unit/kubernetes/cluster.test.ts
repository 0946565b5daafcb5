import { TerraformVariable } from "cdktf";
import { Endpoint, evaluate, serverUrl } from "../../../lib";
import { hostAndPort } from "../../../lib/kubernetes/cluster";
import { pkiOf } from "../../support/cluster";
import { newStack, resolved, terraformOf } from "../../support/synth";

test.each<[Endpoint, string]>([
  ["api.example.com", "https://api.example.com:6443"],
  ["api.example.com:443", "https://api.example.com:443"],
  ["API.Example.com:443", "https://api.example.com:443"],
  ["10.0.0.1", "https://10.0.0.1:6443"],
  ["10.0.0.1:443", "https://10.0.0.1:443"],
  ["fd00::1", "https://[fd00::1]:6443"],
  ["[fd00::1]", "https://[fd00::1]:6443"],
  ["[FD00:0::1]:443", "https://[fd00::1]:443"],
  [{ dns: "api.example.com" }, "https://api.example.com:6443"],
  [{ dns: "api.example.com", port: 443 }, "https://api.example.com:443"],
  [{ ip: "10.0.0.1" }, "https://10.0.0.1:6443"],
  [{ ip: "fd00::1", port: 443 }, "https://[fd00::1]:443"],
])("the URL of %j is %s", (endpoint, url) => {
  expect(serverUrl(endpoint)).toBe(url);
});

test("an endpoint's host has a kind where it can be told", () => {
  expect(hostAndPort("api:443")).toEqual({ host: "api", kind: "dns", port: 443 });
  expect(hostAndPort("[fd00::1]:443")).toEqual({ host: "fd00::1", kind: "ip", port: 443 });
  expect(hostAndPort("a_b:443")).toEqual({ host: "a_b", port: 443 });
});

/** The one spelling of an address, where Terraform makes it of a variable. */
const ip = (name: string) =>
  `try(cidrhost(format("%s/%d", var.${name}, strcontains(var.${name}, ":") ? 128 : 32), 0), var.${name})`;

describe("an unresolved host", () => {
  const stack = newStack();
  const host = new TerraformVariable(stack, "host", { type: "string" }).stringValue;
  const { pki } = pkiOf({ endpoint: { ip: host } }, {}, stack);

  test("that is a name stands in the URL in lower case", () => {
    expect(resolved(stack, serverUrl({ dns: host, port: 443 }))).toBe("https://${lower(var.host)}:443");
  });

  test("that is an address is put in brackets by Terraform when it has a colon", () => {
    expect(resolved(stack, serverUrl({ ip: host }))).toBe(
      `https://\${strcontains(${ip("host")}, ":") ? "[\${${ip("host")}}]" : ${ip("host")}}:6443`,
    );
  });

  test("is among the API server's names, with a precondition", () => {
    const request = terraformOf(stack).resource.tls_cert_request["pki__cp-1__apiserver"];
    expect(request.ip_addresses).toEqual(["10.0.0.11", "10.96.0.1", `\${${ip("host")}}`]);
    expect(request.lifecycle.precondition).toMatchObject([
      { error_message: expect.stringContaining("[host-ip]") },
      { error_message: expect.stringContaining("[address-range]") },
    ]);
  });

  test("is quoted in kubeconfigs", () => {
    expect(terraformOf(stack).output.pki_files.value.operator).toContain(
      `"server" = "\\"https://\${strcontains(${ip("host")}, ":") ? "[\${${ip("host")}}]" : ${ip("host")}}:6443\\""`,
    );
    expect(pki.machines).toEqual(["cp-1"]);
  });

  test("that is a name is among the API server's DNS names", () => {
    const other = newStack();
    const name = new TerraformVariable(other, "name", { type: "string" }).stringValue;
    pkiOf({ endpoint: { dns: name } }, {}, other);
    const request = terraformOf(other).resource.tls_cert_request["pki__cp-1__apiserver"];
    expect(request.dns_names.at(-1)).toBe("${lower(var.name)}");
    expect(request.lifecycle.precondition).toMatchObject([{ error_message: expect.stringContaining("[host-name]") }]);
  });
});

describe("an unresolved address of a machine", () => {
  const stack = newStack();
  const address = new TerraformVariable(stack, "address", { type: "string" }).stringValue;
  pkiOf({ controlPlanes: [{ name: "cp-1", addresses: [address], bindPort: 6444 }] }, {}, stack);
  const { resource, output } = terraformOf(stack);

  test("is in every server's names, with a precondition", () => {
    for (const certificate of ["apiserver", "etcd-server", "etcd-peer"]) {
      const request = resource.tls_cert_request[`pki__cp-1__${certificate}`];
      expect(request.ip_addresses.at(-1)).toBe(`\${${ip("address")}}`);
      expect(request.lifecycle.precondition).toMatchObject([
        { error_message: expect.stringContaining("[host-ip]") },
        { error_message: expect.stringContaining("[address-range]") },
      ]);
    }
  });

  test("is where the machine's own components find its API server", () => {
    expect(output.pki_files.value["cp-1"]).toContain(
      `"server" = "\\"https://\${strcontains(${ip("address")}, ":") ? "[\${${ip("address")}}]" : ${ip("address")}}:6444\\""`,
    );
  });
});

test("a control plane's own components use its first address and bind port, others the endpoint", () => {
  const { pki } = pkiOf({ controlPlanes: [{ name: "cp-1", addresses: ["fd00::11", "10.0.0.11"], bindPort: 6444 }] });
  const serverOf = (name: string, holder: string) => {
    const text = evaluate(pki.kubeconfig(name, holder), () => "x");
    return /^ {4}server: (.*)$/m.exec(text)![1];
  };
  expect(serverOf("scheduler", "cp-1")).toBe("https://[fd00::11]:6444");
  expect(serverOf("controller-manager", "cp-1")).toBe("https://[fd00::11]:6444");
  expect(serverOf("kubelet", "cp-1")).toBe("https://[fd00::11]:6444");
  expect(serverOf("admin", "cp-1")).toBe("https://api.prod.example.com:6443");
  expect(serverOf("admin", "operator")).toBe("https://api.prod.example.com:6443");
});

test("a named worker's kubelet uses the endpoint", () => {
  const { pki } = pkiOf({ workers: [{ name: "node-1", addresses: ["10.0.0.31"] }] });
  expect(evaluate(pki.kubeconfig("kubelet", "node-1"), () => "x")).toContain(
    "server: https://api.prod.example.com:6443\n",
  );
});
