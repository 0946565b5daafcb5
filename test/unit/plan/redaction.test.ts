import { ADDRESS, Change, configuration, deployed, plan, REPLACE, resource, SECRET, STATE } from "./plans";
import { jsonTexts } from "../../support/json-texts";
import { planReport } from "../../../lib/plan/judge/report";
import { readPlan } from "../../../lib/terraform-json/plan";
import { renderJson } from "../../../lib/plan/render/json";
import { renderMarkdown } from "../../../lib/plan/render/markdown";
import { renderText } from "../../../lib/plan/render/text";

/** Every way to write the report. */
function outputsOf(document: object): string[] {
  const report = planReport(readPlan(document), { nextRunHours: 10_000 });
  return [renderText(report), renderText(report, { colour: true }), renderMarkdown(report), renderJson(report)];
}

function expectNothingSecret(document: object): string {
  const outputs = outputsOf(document);
  for (const output of outputs) {
    expect(output).not.toContain(SECRET);
    expect(output).not.toContain("-----BEGIN");
  }
  return outputs.join("");
}

const PEM = `-----BEGIN EC PRIVATE KEY-----\n${SECRET}\n-----END EC PRIVATE KEY-----\n`;
const REISSUED: Change = { actions: REPLACE, replace_paths: [["cert_request_pem"]] };

/** A leaf whose request is replaced by this one. */
const requested = (after: object, more: Change = {}) =>
  deployed({
    request: { actions: REPLACE, replace_paths: [["subject"]], after: { ...STATE.request, ...after }, ...more },
    leaf: REISSUED,
  });

describe("what is shown", () => {
  test("is no attribute that is not on the list, wherever a secret stands in it", () => {
    const leaf = {
      ...STATE.leaf,
      tags: { password: SECRET },
      note: SECRET,
      dns_names: [SECRET],
      id: SECRET,
      ca_key_algorithm: SECRET,
    };
    const after = { ...leaf, note: `${SECRET} 2`, tags: { password: `${SECRET} 2` } };
    const shown = expectNothingSecret(deployed({ leaf: { actions: ["update"], before: leaf, after } }));
    expect(shown).toContain("note changes");
  });

  test("is no listed attribute that Terraform marks, as a whole or in part", () => {
    const secretSubject = [{ common_name: SECRET, organization: SECRET }];
    const shown = expectNothingSecret(
      requested(
        { subject: secretSubject, dns_names: [SECRET, "ok"] },
        {
          after_sensitive: { subject: [{ common_name: true, organization: true }], dns_names: [true, false] },
        },
      ),
    );
    expect(shown).toContain("CN=(sensitive value), O=(sensitive value)");
    expectNothingSecret(requested({ subject: secretSubject, dns_names: [SECRET] }, { after_sensitive: true }));
    expectNothingSecret(requested({ dns_names: [SECRET] }, { after_sensitive: { dns_names: true, subject: true } }));
  });

  test.each([
    ["a key among the names", { dns_names: [PEM] }],
    ["a password among the addresses", { ip_addresses: [`${SECRET}!`] }],
    ["a URI with a password", { uris: [`https://user:${SECRET}@example.com`] }],
    ["a key as a name", { subject: [{ common_name: PEM, organization: `${SECRET}${"x".repeat(70)}` }] }],
    ["an object where text should be", { dns_names: { [SECRET]: SECRET } }],
    [
      "objects where texts should be",
      { dns_names: [{ value: SECRET }], subject: [{ common_name: { value: SECRET } }] },
    ],
  ])("is no value of another form than its attribute has: %s", (_, after) => {
    expect(expectNothingSecret(requested(after))).toContain("(not shown)");
  });

  test("is no key, password or token of what is made and destroyed", () => {
    const values = {
      result: SECRET,
      bcrypt_hash: SECRET,
      private_key_pem: PEM,
      data: { "token-secret": SECRET },
      type: "bootstrap.kubernetes.io/token",
    };
    const types = [
      "tls_private_key",
      "random_password",
      "random_string",
      "kubernetes_secret_v1",
      "kubernetes_secret",
      "time_rotating",
    ];
    for (const change of [
      { actions: ["create"], after: values },
      { actions: ["delete"], before: values },
      {
        actions: REPLACE,
        before: values,
        after: { ...values, result: `${SECRET} 2` },
        replace_paths: [["result"], [SECRET], ["data", SECRET]],
      },
      { actions: ["update"], before: {}, after: values, after_unknown: { [SECRET]: true } },
    ]) {
      expectNothingSecret(plan(types.map((type) => resource(`${type}.x__token__y`, change))));
    }
  });

  test("is nothing of variables, outputs, the state, the code or checks", () => {
    const secret = { value: SECRET, sensitive: true };
    expectNothingSecret(
      deployed(
        { leaf: { actions: REPLACE, replace_paths: [["ready_for_renewal"]] } },
        {
          variables: { password: { value: SECRET } },
          planned_values: { outputs: { x: secret } },
          prior_state: {
            values: {
              outputs: { x: secret },
              root_module: { resources: [{ address: "a.b", type: "a", values: { x: SECRET } }] },
            },
          },
          output_changes: {
            x_files: { after: jsonTexts({ "cp-1": { "/x": SECRET } }), after_sensitive: false },
            w_files: { after: { "cp-1": `{"/x": ${SECRET}` } },
            w_certificates: { after: { ca: `{"x": "${SECRET}"}`, keys: `{"x": {"g1": "${SECRET}"}}`, "cp-1": SECRET } },
            y_files: {
              after: jsonTexts({ "cp-1": { [`/${SECRET}`]: { mode: "0600", owner: "x:x", content: SECRET } } }),
              after_sensitive: true,
            },
            z_files: {
              after: jsonTexts({
                "cp-1": {
                  "/z": { mode: "0600", owner: "x:x", content: [SECRET, { ref: `${ADDRESS.leaf}.${SECRET}` }] },
                },
              }),
            },
          },
          configuration: {
            ...configuration([[ADDRESS.leaf, "ca_cert_pem", `${ADDRESS.ca}.cert_pem`]]),
            provider_config: { x: { expressions: { password: { constant_value: SECRET } } } },
          },
          checks: [
            { address: { to_display: "check.x" }, status: "fail", instances: [{ problems: [{ message: SECRET }] }] },
          ],
          resource_drift: [
            resource(ADDRESS.key, {
              actions: ["update"],
              before: { private_key_pem: SECRET },
              after: { private_key_pem: `${SECRET} 2` },
            }),
          ],
        },
      ),
    );
  });

  test("is no id of a bootstrap token, which stands in the name of its Secret", () => {
    const token = {
      type: "bootstrap.kubernetes.io/token",
      metadata: [{ name: `bootstrap-token-${SECRET}`, namespace: "kube-system" }],
    };
    expectNothingSecret(plan([resource("kubernetes_secret_v1.t", { actions: ["create"], after: token })]));
  });

  test("is no value of an authority from outside but what its certificate says", () => {
    const input = { certificate_pem: `${SECRET} no certificate`, private_key_pem: PEM, not_after: SECRET };
    const address = "terraform_data.pki__ca__kubernetes__g1";
    expectNothingSecret(plan([resource(address, { actions: ["create"], after: { input } })]));
    expectNothingSecret(
      plan([
        resource(address, {
          actions: ["update"],
          before: { input, output: input },
          after: { input: { ...input, certificate_pem: SECRET } },
        }),
      ]),
    );
  });
});
