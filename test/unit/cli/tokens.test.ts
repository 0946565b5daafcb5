import { expectOneLine, kubernetesPki, SECRET } from "./command";

const NOW = () => new Date("2030-07-01T00:00:00Z");
const GROUP = "system:bootstrappers:kubeadm:default-node-token";

function token(id: string, more: object = {}, type = "bootstrap.kubernetes.io/token"): object {
  const data = {
    "token-id": id,
    "token-secret": SECRET,
    expiration: "2030-07-02T02:30:00Z",
    "usage-bootstrap-authentication": "true",
    "auth-extra-groups": GROUP,
    description: "joins workers",
    ...more,
  };
  return { type, data, metadata: [{ name: `bootstrap-token-${id}`, namespace: "kube-system" }] };
}

function stateOf(resources: Readonly<Record<string, object>>): string {
  const list = Object.entries(resources).map(([address, values]) => ({ address, mode: "managed", values }));
  return JSON.stringify({ format_version: "1.0", values: { root_module: { resources: list } } });
}

const tokens = (resources: Readonly<Record<string, object>>, ...argv: string[]) =>
  kubernetesPki(["tokens", "-", ...argv], { stdin: stateOf(resources), now: NOW });

const FRESH = {
  "kubernetes_secret_v1.prod__token__workers": token("zzzzzz"),
  "kubernetes_secret.until": token("bbbbbb", {
    expiration: undefined,
    "usage-bootstrap-signing": "true",
    "usage-bootstrap-other": "false",
    "auth-extra-groups": undefined,
    description: "",
  }),
  "kubernetes_secret_v1.tls": token("cccccc", {}, "kubernetes.io/tls"),
  "random_password.prod__token__workers": { result: SECRET, bcrypt_hash: SECRET },
};

test("lists tokens in the words of kubeadm token list, by their ids", async () => {
  expect(await tokens(FRESH)).toEqual({
    code: 0,
    err: "",
    out: `TOKEN ID   TTL         EXPIRES                USAGES                   DESCRIPTION     EXTRA GROUPS
bbbbbb     <forever>   <never>                authentication,signing   <none>          <none>
zzzzzz     1d          2030-07-02T02:30:00Z   authentication           joins workers   ${GROUP}
`,
  });
});

test("lists them as JSON", async () => {
  const { code, out } = await tokens(FRESH, "-o", "json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({
    schemaVersion: 1,
    tokens: [
      {
        address: "kubernetes_secret.until",
        id: "bbbbbb",
        usages: ["authentication", "signing"],
        groups: [],
        expired: false,
      },
      {
        address: "kubernetes_secret_v1.prod__token__workers",
        id: "zzzzzz",
        description: "joins workers",
        expires: "2030-07-02T02:30:00Z",
        ttl: 95400,
        usages: ["authentication"],
        groups: [GROUP],
        expired: false,
      },
    ],
  });
});

test.each([
  ["2030-06-30T23:59:00Z", "<invalid>   2030-06-30T23:59:00Z"],
  ["2030-07-01T01:00:00+01:00", "0s        2030-07-01T01:00:00+01:00"],
  ["tomorrow", "<invalid>   <invalid>"],
  [SECRET, "<invalid>   <invalid>"],
])("says of one that ended at %s that it has", async (expiration, line) => {
  const { code, out } = await tokens({ "kubernetes_secret_v1.a": token("aaaaaa", { expiration }) });
  expect(code).toBe(3);
  expect(out).toContain(line);
});

test("shows no id that is none, and no control characters of a description", async () => {
  const { out } = await tokens({
    "kubernetes_secret_v1.a": token(`${SECRET}`),
    "kubernetes_secret_v1.b": token("bbbbbb", { description: "\u001b[2J" }),
  });
  expect(out).toContain("<invalid>");
  expect(out).toContain("\\u{1b}[2J");
});

test("says so where there are none", async () => {
  expectOneLine(
    await tokens({ "tls_private_key.a": {} }),
    "no bootstrap tokens in -: name the stack of a ClusterAccess",
  );
});

test("knows no other format", async () => {
  expectOneLine(await tokens(FRESH, "-o", "wide"), "wide");
});
