import { readFileSync } from "node:fs";
import { join } from "node:path";
import { jsonTexts } from "../../support/json-texts";
import {
  CA_CERT,
  CA_CERT_REFERENCE,
  CA_KEY,
  CA_KEY_REFERENCE,
  CP_1,
  data,
  expectOneLine,
  exportState,
  file,
  filesBelow,
  folder,
  kubernetesPki,
  PASSWORD,
  pkiState,
  put,
  putStack,
  terraform,
} from "./command";

const exported = (path: string): string => readFileSync(join(folder, "root", path), "utf8");

/** What the access stack publishes: the kubeconfig with which a worker joins. */
const BOOTSTRAP = {
  "/etc/kubernetes/bootstrap-kubelet.conf": file(
    { concat: ["token: ", { ref: "random_password.access__token.result" }, "\n"] },
    "0600",
  ),
};

function accessState(files: object): object {
  const resources = [{ address: "random_password.access__token", values: { result: PASSWORD } }];
  const outputs = { access_files: { value: jsonTexts(files) } };
  return { format_version: "1.0", values: { outputs, root_module: { resources } } };
}

describe("export", () => {
  test("reads deployed stacks from their folders, and merges what they hold for a worker", async () => {
    const pki = putStack("prod-pki", {
      resource: data("pki__ca", { private_key_pem: CA_KEY, cert_pem: CA_CERT }),
      output: {
        pki_files: {
          value: jsonTexts({
            worker: {
              "/etc/kubernetes/pki/ca.crt": file({ ref: "terraform_data.pki__ca.output.cert_pem" }),
            },
            "cp-1": {
              "/ca.key": file({ ref: "terraform_data.pki__ca.output.private_key_pem" }, "0600"),
            },
          }),
        },
      },
    });
    const access = putStack("prod-access", {
      resource: data("access__token", { result: PASSWORD }),
      output: {
        access_files: {
          value: jsonTexts({
            worker: {
              "/etc/kubernetes/bootstrap-kubelet.conf": file(
                {
                  concat: [
                    "ca: ",
                    {
                      base64: {
                        concat: ["$${literal}", { ref: "terraform_data.access__token.output.result" }],
                      },
                    },
                    "\n",
                  ],
                },
                "0600",
              ),
            },
          }),
        },
      },
    });
    for (const stack of [pki, access]) {
      terraform(stack, "init");
      terraform(stack, "apply", "-auto-approve");
    }
    const stacks = ["cdktf.out/stacks/prod-pki", "cdktf.out/stacks/prod-access"];

    const worker = await kubernetesPki(["export", "--worker", "--root", "root", ...stacks]);
    expect(worker).toMatchObject({
      code: 0,
      out:
        "0600 root:root /etc/kubernetes/bootstrap-kubelet.conf written\n" +
        "0644 root:root /etc/kubernetes/pki/ca.crt written\n",
    });
    expect(exported("etc/kubernetes/pki/ca.crt")).toBe(CA_CERT);
    const bootstrap = Buffer.from(`\${literal}${PASSWORD}`).toString("base64");
    expect(exported("etc/kubernetes/bootstrap-kubelet.conf")).toBe(`ca: ${bootstrap}\n`);

    const machine = await kubernetesPki(["export", "--machine", "cp-1", "--root", "../../../root"], { cwd: pki });
    expect(machine).toMatchObject({ code: 0, out: "0600 root:root /ca.key written\n" });
    expect(exported("ca.key")).toBe(CA_KEY);
  });

  test("merges a file with the output of `terraform show -json` and stdin", async () => {
    put("pki.json", pkiState({ worker: { "/etc/kubernetes/pki/ca.crt": file(CA_CERT_REFERENCE) } }));
    const argv = ["export", "--worker", "--root", "root", "pki.json", "-"];
    const { code, out } = await kubernetesPki(argv, { stdin: JSON.stringify(accessState({ worker: BOOTSTRAP })) });
    expect({ code, out: out.split("\n") }).toEqual({
      code: 0,
      out: [
        "0600 root:root /etc/kubernetes/bootstrap-kubelet.conf written",
        "0644 root:root /etc/kubernetes/pki/ca.crt written",
        "",
      ],
    });
    expect(exported("etc/kubernetes/bootstrap-kubelet.conf")).toBe(`token: ${PASSWORD}\n`);
  });

  test("writes only what the operator holds, in folders that are the operator's own", async () => {
    const state = pkiState({ "cp-1": CP_1, operator: { "/super-admin.conf": file(CA_KEY_REFERENCE, "0600") } });
    const argv = ["export", "--operator", "--root", "root", "-"];
    const result = await kubernetesPki(argv, { stdin: JSON.stringify(state) });
    expect(result).toEqual({ code: 0, out: "0600 root:root /super-admin.conf written\n", err: "" });
    expect(filesBelow(join(folder, "root"))).toEqual(["/super-admin.conf"]);
  });

  test("accepts a file that two states publish alike", async () => {
    put("pki.json", pkiState({ "cp-1": CP_1 }));
    expect(await exportState(pkiState({ "cp-1": CP_1 }, "other"), "pki.json")).toMatchObject({ code: 0 });
  });

  test("refuses a file that two states publish differently", async () => {
    put("pki.json", pkiState({ "cp-1": CP_1 }));
    const other = pkiState({ "cp-1": { "/etc/kubernetes/pki/ca.key": file(CA_CERT_REFERENCE, "0600") } });
    expectOneLine(await exportState(other, "pki.json"), "stdin and pki.json differ in /etc/kubernetes/pki/ca.key");
  });

  test("evaluates each file against the state that published it", async () => {
    const stray = { "cp-1": { "/token": file({ ref: "random_password.access__token.result" }) } };
    put("access.json", accessState({}));
    expectOneLine(
      await exportState(pkiState(stray), "access.json"),
      /stdin lacks random_password.access__token.result/,
    );
  });

  test("lists the machines when it is asked for one that is not there", async () => {
    const state = pkiState({ "cp-2": CP_1, "cp-1": CP_1, worker: CP_1, operator: CP_1, "cp-3": {} });
    const argv = ["export", "--root", "root", "-", "--machine"];
    const stdin = JSON.stringify(state);
    const missing = 'no machine "cp-9" in stdin; the machines are: cp-1, cp-2';
    expectOneLine(await kubernetesPki([...argv, "cp-9"], { stdin }), missing);
    expectOneLine(
      await kubernetesPki([...argv, "worker"], { stdin }),
      'no machine "worker" in stdin; the machines are: cp-1, cp-2',
    );
    expectOneLine(await kubernetesPki([...argv, "cp-3"], { stdin }), 'no machine "cp-3"');
    expectOneLine(await kubernetesPki([...argv, "constructor"], { stdin }), 'no machine "constructor"');
  });

  test("says when there is nothing for any worker", async () => {
    const stdin = JSON.stringify(pkiState({ "cp-1": CP_1, worker: {} }));
    const result = await kubernetesPki(["export", "--worker", "--root", "root", "-"], { stdin });
    expectOneLine(result, "no files for --worker in stdin; the machines are: cp-1");
  });

  describe("where a machine joins with a password of its cluster", () => {
    const joined = (prefix: string) => {
      const state = pkiState({ "cp-1": CP_1, "cp-2": {} }, prefix);
      const { outputs } = state["values"] as { outputs: Record<string, unknown> };
      outputs[`${prefix}__token__server_files`] = {
        value: jsonTexts({ "cp-1": { "/etc/token": file("token", "0600") } }),
      };
      outputs[`${prefix}__token__agent_files`] = {
        value: jsonTexts({ "cp-1": { "/etc/agent-token": file("agent", "0600") } }),
      };
      return state;
    };

    test("exports it with the files of the PKI, though no prefix is chosen", async () => {
      expect(await exportState(joined("pki"))).toMatchObject({ code: 0 });
      expect(filesBelow(join(folder, "root"))).toEqual([
        "/etc/agent-token",
        "/etc/kubernetes/pki/ca.crt",
        "/etc/kubernetes/pki/ca.key",
        "/etc/token",
      ]);
    });

    test("exports it when the prefix of its cluster is chosen, and with no other cluster's", async () => {
      const state = joined("prod");
      const { outputs } = state["values"] as { outputs: Record<string, unknown> };
      outputs["staging__token__server_files"] = {
        value: jsonTexts({ "cp-1": { "/etc/token": file("staging", "0600") } }),
      };
      expectOneLine(
        await exportState(state),
        "stdin has files of several prefixes: choose with --prefix from prod, staging",
      );
      expect(await exportState(state, "--prefix", "prod")).toMatchObject({ code: 0 });
      expect(exported("etc/token")).toBe("token");
    });
  });

  describe("where a state has several prefixes", () => {
    const two = pkiState({ "cp-1": CP_1 }, "prod");
    (two["values"] as { outputs: Record<string, unknown> }).outputs["staging_files"] = {
      value: jsonTexts({ "cp-1": { "/staging": file("staging\n") } }),
    };

    test("lists them when none is chosen", async () => {
      expectOneLine(
        await exportState(two),
        "stdin has files of several prefixes: choose with --prefix from prod, staging",
      );
    });

    test("exports the one that is chosen", async () => {
      expect(await exportState(two, "--prefix", "staging")).toMatchObject({
        code: 0,
        out: "0644 root:root /staging written\n",
      });
    });

    test("exports all that are chosen", async () => {
      const { out } = await exportState(two, "--prefix", "staging", "--prefix", "prod");
      expect(out.split("\n")).toHaveLength(4);
    });

    test("refuses one that is not there", async () => {
      expectOneLine(
        await exportState(two, "--prefix", "x"),
        "stdin has no files of the prefix x: it has those of prod, staging",
      );
      expectOneLine(await exportState(two, "--prefix", "prod", "--prefix", "x"), "no state has files of the prefix x");
    });
  });

  test.each([
    ["a resource", { ref: "tls_private_key.gone.private_key_pem" }, "tls_private_key.gone.private_key_pem"],
    ["an attribute", { ref: "tls_private_key.pki__ca.gone" }, "tls_private_key.pki__ca.gone"],
    [
      "a part of an attribute",
      { ref: "tls_private_key.pki__ca.private_key_pem.length" },
      "tls_private_key.pki__ca.private_key_pem.length",
    ],
  ])("says to deploy again when the state lacks %s", async (_, reference, name) => {
    const result = await exportState(pkiState({ "cp-1": { "/x": file({ concat: ["a", reference] }), ...CP_1 } }));
    expectOneLine(result, `stdin lacks ${name}, which /x needs: the state is older than its file map, deploy again`);
    expect(() => filesBelow(join(folder, "root"))).toThrow("ENOENT");
  });

  test.each([[{ gzip: "x" }], [{ concat: "x" }], [7], [null]])(
    "refuses the unknown kind of content %j",
    async (kind) => {
      const result = await exportState(pkiState({ "cp-1": { "/x": file(kind) } }));
      expectOneLine(result, "stdin describes /x in a way that is not known here: use the version that deployed it");
    },
  );

  test.each(["/etc/../../x", "../x", "/..", "x", "/a//b", "/a/./b", "/", "/a/", "/a\nb"])(
    "refuses the path %j, and writes nothing",
    async (path) => {
      const result = await exportState(pkiState({ "cp-1": { ...CP_1, [path]: file("text") } }));
      expectOneLine(result, "which is not a plain absolute path: nothing was written");
      expect(filesBelow(folder)).toEqual([]);
    },
  );
});
