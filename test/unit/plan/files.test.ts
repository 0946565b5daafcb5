import { ADDRESS, CERTIFICATE, Change, deployed, file, outputChanges, PRIVATE_KEY, report, resource } from "./plans";

// The map of files is a part of the plan: what it says anew is told, whether or not a certificate changes.

const CRT = "/etc/x/apiserver.crt";
const KEY = "/etc/x/apiserver.key";
const pair = { [CRT]: file(CERTIFICATE(ADDRESS.leaf)), [KEY]: file(PRIVATE_KEY(ADDRESS.key)) };
const secretly = (mode: string, owner = "root:root") => ({ ...file(PRIVATE_KEY(ADDRESS.key)), mode, owner });

function between(before: object, after: object, changes: Parameters<typeof deployed>[0] = {}) {
  const found = report(deployed(changes, outputChanges({ files: before }, { files: after })));
  return {
    files: found.files.map(({ holder, path, what, from }) =>
      [`${what.join()} ${holder} ${path}`, from ?? ""].join(" ").trim(),
    ),
    dangers: found.dangers.map(({ code, message }) => `${code} ${message}`),
    verdict: found.verdict,
    otherChanges: found.otherChanges,
  };
}

test("a file that nothing happens to is not told", () => {
  expect(between({ "cp-1": pair }, { "cp-1": pair })).toMatchObject({ files: [], verdict: "nothing" });
});

test.each<[string, object, object, string[]]>([
  ["comes", pair, { ...pair, "/y": file("text") }, ["added cp-1 /y"]],
  ["goes", { ...pair, "/y": file("text") }, pair, ["removed cp-1 /y"]],
  ["moves", { ...pair, "/y": file("text") }, { ...pair, "/z": file("text") }, ["moved cp-1 /z cp-1 /y"]],
  ["has other text", { ...pair, "/y": file("a") }, { ...pair, "/y": file("b") }, ["content cp-1 /y"]],
  [
    "has another mode",
    { ...pair, "/y": file("a") },
    { ...pair, "/y": { ...file("a"), mode: "0600" } },
    ["mode cp-1 /y"],
  ],
  [
    "has another owner and text",
    { ...pair, "/y": file("a") },
    { ...pair, "/y": { ...file("b"), owner: "etcd:etcd" } },
    ["content,owner cp-1 /y"],
  ],
])("a file that %s is told, and is a change", (_, before, after, files) => {
  expect(between({ "cp-1": before }, { "cp-1": after })).toEqual({
    files,
    dangers: [],
    verdict: "changes",
    otherChanges: {},
  });
});

test("another machine has its files, all of them", () => {
  const { files, dangers } = between({ "cp-1": pair }, { "cp-1": pair, "cp-2": pair });
  expect(files).toEqual([`added cp-2 ${CRT}`, `added cp-2 ${KEY}`]);
  expect(dangers).toEqual([]);
});

describe("a private key that exists is exposed", () => {
  test.each<[string, object, object, string]>([
    ["in another file", { "cp-1": pair }, { "cp-1": { ...pair, "/y": secretly("0600") } }, "cp-1 /y"],
    [
      "on a machine that has others",
      { "cp-1": pair, "worker-1": { "/y": file("a") } },
      { "cp-1": pair, "worker-1": { "/y": file("a"), [KEY]: file(PRIVATE_KEY(ADDRESS.key)) } },
      `worker-1 ${KEY}`,
    ],
    [
      "on a new machine, in a place of its own",
      { "cp-1": pair },
      { "cp-1": pair, "cp-2": { "/y": secretly("0600") } },
      "cp-2 /y",
    ],
    [
      "by a looser mode",
      { "cp-1": { [KEY]: secretly("0600") } },
      { "cp-1": { [KEY]: secretly("0640") } },
      `cp-1 ${KEY}, mode 0600 → 0640`,
    ],
    [
      "by another owner",
      { "cp-1": { [KEY]: secretly("0600") } },
      { "cp-1": { [KEY]: secretly("0600", "kube:kube") } },
      `cp-1 ${KEY}, owner root:root → kube:kube`,
    ],
    [
      "where another key stood",
      { "cp-1": { ...pair, "/y": file(PRIVATE_KEY(ADDRESS.caKey)) } },
      { "cp-1": { ...pair, "/y": secretly("0600") } },
      "cp-1 /y",
    ],
  ])("%s", (_, before, after, place) => {
    expect(between(before, after).dangers).toEqual([
      `key-exposed A private key that exists will stand where it does not today: ${place}.`,
    ]);
  });

  test.each<[string, object, object, Change?]>([
    ["by a stricter mode", { "cp-1": { [KEY]: secretly("0640") } }, { "cp-1": { [KEY]: secretly("0600") } }],
    ["where it goes", { "cp-1": pair }, { "cp-1": { [CRT]: pair[CRT] } }],
    [
      "where it is made anew",
      { "cp-1": pair },
      { "cp-1": { ...pair, "/y": secretly("0600") } },
      { actions: ["create", "delete"], after: { algorithm: "ECDSA", ecdsa_curve: "P256" } },
    ],
  ])("but not %s", (_, before, after, key = {}) => {
    const { dangers } = between(before, after, { key });
    expect(dangers.filter((danger) => danger.startsWith("key-exposed"))).toEqual([]);
  });
});

describe("a map that cannot be compared", () => {
  const map = { "cp-1": JSON.stringify(pair) };

  test.each([
    ["reads as something else", { before: map, after: { "cp-1": "x" } }],
    ["was something else", { before: { "cp-1": 1 }, after: map }],
  ])("since it %s is unreadable", (_, output) => {
    const found = report(deployed({}, { output_changes: { pki_files: { actions: ["update"], ...output } } }));
    expect(found).toMatchObject({ verdict: "danger", otherChanges: { output: 1 }, outputs: ["pki_files"] });
    expect(found.dangers).toMatchObject([{ code: "unreadable", attributes: ["pki_files"] }]);
  });

  test("since it is hidden is unreadable", () => {
    const document = deployed({}, outputChanges({}, { ca: { kubernetes: { g1: "active" } } }));
    const { pki_certificates } = document.output_changes as { pki_certificates: object };
    const hidden = { actions: ["update"], before: map, after: "x", after_sensitive: true };
    const found = report({ ...document, output_changes: { pki_certificates, pki_files: hidden } });
    expect(found.dangers).toMatchObject([{ code: "unreadable", attributes: ["pki_files"] }]);
  });

  test("may be somebody else's, whose name ends alike", () => {
    const output = { actions: ["update"], before: "a", after: "b" };
    const found = report(deployed({}, { output_changes: { web_files: output } }));
    expect(found).toMatchObject({ verdict: "changes", dangers: [], otherChanges: { output: 1 } });
  });
});

test("a private key that exists is exposed in a new Secret, and not where it was already", () => {
  const secret = { type: "Opaque", metadata: [{ name: "tls", namespace: "web" }] };
  const within = (change: Change, key: Change = {}) => {
    const document = deployed({ key });
    (document.resource_changes as object[]).push(resource("kubernetes_secret_v1.web", change));
    const { resources } = (document.configuration as { root_module: { resources: object[] } }).root_module;
    resources.push({
      address: "kubernetes_secret_v1.web",
      mode: "managed",
      expressions: { data: { references: [`${ADDRESS.key}.private_key_pem`, ADDRESS.key] } },
    });
    return report(document).dangers.filter(({ code }) => code === "key-exposed");
  };
  expect(within({ actions: ["create"], after: secret })).toMatchObject([
    { name: "web", message: expect.stringContaining(`Secret/web/tls with ${ADDRESS.key}`) },
  ]);
  expect(within({ before: secret, after: secret })).toEqual([]);
  expect(within({ actions: ["create"], after: secret }, { actions: ["create"], before: null })).toEqual([]);
});

test("a sensitive output counts", () => {
  const output = { actions: ["update"], before: "a", after: "b", before_sensitive: true, after_sensitive: true };
  const found = report(deployed({}, { output_changes: { password: output } }));
  expect(found).toMatchObject({ verdict: "changes", otherChanges: { output: 1 }, outputs: ["password"] });
});

test("what an interrupted replacement left behind is a change", () => {
  const document = deployed();
  (document.resource_changes as object[]).push({
    address: ADDRESS.key,
    mode: "managed",
    type: "tls_private_key",
    name: "pki__cp-1__apiserver",
    deposed: "ab12",
    change: { actions: ["delete"], before: {}, after: null },
  });
  expect(report(document)).toMatchObject({ verdict: "changes", otherChanges: { tls_private_key: 1 } });
});

test("what Terraform would apply and nobody finds is a change", () => {
  expect(report(deployed({}, { applyable: true }))).toMatchObject({
    verdict: "changes",
    otherChanges: { "(unknown)": 1 },
  });
});
