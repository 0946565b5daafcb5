import { chmodSync, existsSync, mkdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { jsonTexts } from "../../support/json-texts";
import {
  CA_KEY,
  CP_1,
  data,
  expectOneLine,
  exportState,
  file,
  folder,
  kubernetesPki,
  pkiState,
  put,
  putStack,
  Result,
  SECRET,
  terraform,
} from "./command";

const STACK = "cdktf.out/stacks/prod-pki";

function exportFrom(source: string, env: Record<string, string> = {}): Promise<Result> {
  return kubernetesPki(["export", "--machine", "cp-1", "--root", "root", source], { env });
}

function exportStdin(stdin: string | Buffer[]): Promise<Result> {
  return kubernetesPki(["export", "--machine", "cp-1", "--root", "root", "-"], { stdin });
}

/** Expects one line, and that nothing was written. */
function expectRefusal(result: Result, text: string | RegExp): void {
  expectOneLine(result, text);
  expect(existsSync(join(folder, "root"))).toBe(false);
}

describe("a stack's folder", () => {
  const stack = (): string =>
    putStack("prod-pki", {
      resource: data("key", { private_key_pem: CA_KEY }),
      output: { pki_files: { value: jsonTexts({ "cp-2": { "/x": file("x") } }) } },
    });

  test("that does not exist is refused", async () => {
    expectRefusal(
      await exportFrom(STACK),
      `${STACK} does not exist: name a stack's folder, as \`cdktf synth\` makes it`,
    );
  });

  test("below a file does not exist", async () => {
    put("file", "x");
    expectRefusal(await exportFrom("file/stack"), "file/stack does not exist");
  });

  test("that was not initialised is refused with what to run", async () => {
    stack();
    expectRefusal(
      await exportFrom(STACK),
      `${STACK} is not initialised: run \`cdktf deploy\`, or \`terraform init\` in that folder`,
    );
  });

  test("that was not deployed is refused", async () => {
    terraform(stack(), "init");
    expectRefusal(await exportFrom(STACK), `the state of ${STACK} is empty: deploy the stack first`);
  });

  test("is not needed for the current folder, where a stack near by is named instead", async () => {
    stack();
    const argv = ["export", "--machine", "cp-1", "--root", "root"];
    const suggestion = `holds no Terraform configuration: name a stack's folder, here ${STACK}, or - for stdin`;
    expectRefusal(await kubernetesPki(argv), `kubernetes-pki: . ${suggestion}`);
    expectRefusal(await exportFrom("cdktf.out"), `cdktf.out ${suggestion}`);
  });

  test("is asked for where there is none near by", async () => {
    put("some/file", "x");
    expectRefusal(
      await exportFrom("some"),
      "some holds no Terraform configuration: name a stack's folder, e.g. cdktf.out",
    );
  });

  test("cannot be read without terraform", async () => {
    stack();
    const result = await exportFrom(STACK, { TERRAFORM_BINARY_NAME: "no-such-terraform" });
    expectRefusal(result, "cannot run no-such-terraform: put it on the PATH, or its name into TERRAFORM_BINARY_NAME");
  });

  test("is read with the program that TERRAFORM_BINARY_NAME names", async () => {
    const state = put("show.json", pkiState({ "cp-7": CP_1 }));
    const name = put("tofu", `#!/bin/sh\ntest "$*" = "show -json -no-color" && cat '${state}'\n`);
    stack();
    chmodSync(name, 0o755);
    expectRefusal(await exportFrom(STACK, { TERRAFORM_BINARY_NAME: name }), "the machines are: cp-7");
  });

  test("whose state terraform cannot read is refused with terraform's reason", async () => {
    terraform(stack(), "init");
    put("prod-pki.tfstate", `not JSON ${SECRET}`);
    expectRefusal(
      await exportFrom(STACK),
      `\`terraform show -json\` failed in ${STACK}: Unsupported state file format`,
    );
  });

  describe("with a local state of 0 bytes", () => {
    test("is refused before terraform is started, and its backup is named", async () => {
      stack();
      put("prod-pki.tfstate", "");
      put("prod-pki.tfstate.backup", "{}");
      const result = await exportFrom(STACK, { TERRAFORM_BINARY_NAME: "no-such-terraform" });
      expectRefusal(
        result,
        "the state file prod-pki.tfstate has 0 bytes, a write to it was cut short; do not deploy before it is back",
      );
      expectRefusal(result, "restore it with: cp prod-pki.tfstate.backup prod-pki.tfstate\n");
    });

    test.each([
      ["is missing", undefined],
      ["is empty too", ""],
    ])("is refused when its backup %s", async (_, backup) => {
      stack();
      put("prod-pki.tfstate", "");
      if (backup !== undefined) {
        put("prod-pki.tfstate.backup", backup);
      }
      expectRefusal(await exportFrom(STACK), /has 0 bytes.*its backup is missing or empty too/);
    });

    test("is refused at Terraform's own place for it, and where the name must be quoted", async () => {
      put("my stack/cdk.tf.json", {});
      put("my stack/terraform.tfstate", "");
      put("my stack/terraform.tfstate.backup", "{}");
      const result = await exportFrom("my stack");
      expectRefusal(result, "cp 'my stack/terraform.tfstate.backup' 'my stack/terraform.tfstate'\n");
    });

    test("is refused when the state file itself is named", async () => {
      put("prod-pki.tfstate", "");
      expectRefusal(await exportFrom("prod-pki.tfstate"), "the state file prod-pki.tfstate has 0 bytes");
    });

    test("is let be where the state is kept elsewhere", async () => {
      put("stack/cdk.tf.json", { terraform: { backend: { http: { address: "http://127.0.0.1:1" } } } });
      put("stack/terraform.tfstate", "");
      expectRefusal(await exportFrom("stack"), "stack is not initialised");
    });
  });
});

describe("the output of `terraform show -json`", () => {
  test.each([
    ["nothing", "", "stdin is empty: give the output of `terraform show -json`, and see whether that command failed"],
    ["text", `-----BEGIN PRIVATE KEY----- ${SECRET}`, "stdin is not JSON"],
    ["half of it", `{"format_version":"1.0","values":{"x":"${SECRET}`, "stdin is not JSON"],
    ["null", "null", "stdin is no state: give the stack's folder, or the output of `terraform show -json`"],
    ["a list", `["${SECRET}"]`, "stdin is no state"],
    ["other JSON", `{"x":"${SECRET}"}`, "stdin is no state"],
    [
      "a raw state",
      `{"version":4,"lineage":"x","outputs":{}}`,
      "stdin is a raw state file: give the stack's folder, or the output",
    ],
    [
      "another major version",
      `{"format_version":"2.0","values":{}}`,
      'format_version "2.0", and only 1.x is known here',
    ],
    ["a plan", `{"format_version":"1.2","planned_values":{}}`, "stdin is a plan: give the state"],
    ["an empty state", `{"format_version":"1.0"}`, "the state of stdin is empty: deploy the stack first"],
    ["values of another shape", `{"format_version":"1.0","values":"${SECRET}"}`, "the state of stdin is empty"],
  ])("is not %s", async (_, stdin, text) => expectRefusal(await exportStdin(stdin), text));

  test("is not binary", async () =>
    expectRefusal(await exportStdin([Buffer.from([0, 255, 254, 1])]), "stdin is not JSON"));

  test("is not huge", async () => {
    truncateSync(put("huge.json", ""), 65 * 1024 * 1024);
    expectRefusal(await exportFrom("huge.json"), "huge.json has more than 64 MB");
    const chunk = Buffer.alloc(1024 * 1024, " ");
    expectRefusal(await exportStdin(Array<Buffer>(65).fill(chunk)), "stdin has more than 64 MB");
  });

  test("is not an empty file", async () => {
    put("show.json", "");
    expectRefusal(await exportFrom("show.json"), "show.json is empty: give the output of");
  });

  test.each([
    ["no output", {}],
    ["outputs of other names", { files: { value: {} }, My_files: { value: {} } }],
    [
      "a user's own output of that name",
      {
        texts_files: { value: { a: "text", b: '["list"]' } },
        config_files: { value: ["a"] },
        other_files: { value: { a: { b: "c" } } },
      },
    ],
    ["a mode that is none", { pki_files: { value: jsonTexts({ "cp-1": { "/x": file("x", "u=rw") } }) } }],
  ])("is not of this library with %s", async (_, outputs) => {
    const values = { outputs, root_module: { resources: [{ address: "a.b", values: {} }] } };
    const result = await exportState({ format_version: "1.0", values });
    expectRefusal(
      result,
      "stdin has no output <prefix>_files that is known here: name a stack made with cdktf-kubernetes-pki",
    );
  });
});

test("a folder that is named like a file of JSON is a folder all the same", async () => {
  mkdirSync(join(folder, "show.json"));
  expectRefusal(await exportFrom("show.json"), "show.json holds no Terraform configuration");
});
