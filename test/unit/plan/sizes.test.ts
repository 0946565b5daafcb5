import { planReport } from "../../../lib/plan/judge/report";
import { renderMarkdown } from "../../../lib/plan/render/markdown";
import { renderText } from "../../../lib/plan/render/text";
import { readPlan } from "../../../lib/terraform-json/plan";
import { Change, deployed, plan, REPLACE, resource, STATE } from "./plans";

// Nothing takes longer than its input is long, and nothing is as deep as a chain in it: each of these ran for long, or fell.

const COUNT = 8_000;
/** Of all of them together; one alone took more. */
const MAX_SECONDS = 20;

function many<T>(make: (index: number) => T): T[] {
  return Array.from({ length: COUNT }, (_, index) => make(index));
}

const create = (after: object): Change => ({ actions: ["create"], before: null, after });
const code = (address: string, attribute: string, reference: string) => ({
  address,
  mode: "managed",
  expressions: { [attribute]: { references: [reference] } },
});
const configuration = (resources: readonly object[]) => ({ configuration: { root_module: { resources } } });

/** Each password is made of the next one. */
const CHAIN = many((index) => code(`random_password.p${index}`, "keepers", `random_password.p${index + 1}.result`));
const TOKEN = { metadata: [{ name: "t" }], type: "bootstrap.kubernetes.io/token" };
const ROLE = [{ kind: "ClusterRole", name: "cluster-admin" }];
const users = (letter: string) => many((index) => ({ kind: "User", name: `${letter}${index}` }));

const DOCUMENTS: Readonly<Record<string, () => object>> = {
  "instances of a request and its key": () =>
    plan(
      many((index) => [
        resource(`tls_private_key.n["${index}"]`, create({ algorithm: "ECDSA" })),
        resource(`tls_self_signed_cert.n["${index}"]`, create({ dns_names: [`n${index}`] })),
      ]).flat(),
      configuration([code("tls_self_signed_cert.n", "private_key_pem", "tls_private_key.n")]),
    ),
  "a token made of a chain": () =>
    plan(
      [resource("kubernetes_secret.t", create(TOKEN)), ...many((n) => resource(`random_password.p${n}`, create({})))],
      configuration([code("kubernetes_secret.t", "data", "random_password.p0.result"), ...CHAIN]),
    ),
  "a chain in a plan that failed": () =>
    plan([resource(`random_password.p${COUNT}`, { actions: REPLACE })], {
      errored: true,
      prior_state: {
        values: {
          root_module: {
            resources: many((index) => {
              const name = `pki__token__p${index}`;
              return { address: `random_password.p${index}`, type: "random_password", name, values: {} };
            }),
          },
        },
      },
      ...configuration(CHAIN),
    }),
  "alternative names": () =>
    deployed({
      request: {
        actions: REPLACE,
        before: { ...STATE.request, dns_names: many((index) => `a${index}`) },
        after: { ...STATE.request, dns_names: many((index) => `b${index}`) },
      },
      leaf: { actions: REPLACE },
    }),
  "subjects of a binding": () =>
    plan([
      resource("kubernetes_cluster_role_binding.b", {
        actions: ["update"],
        before: { role_ref: ROLE, subject: users("a") },
        after: { role_ref: ROLE, subject: users("b") },
      }),
    ]),
  "generations of an authority": () =>
    plan(many((n) => resource(`tls_self_signed_cert.pki__ca__kubernetes__g${n}`, create({ is_ca_certificate: true })))),
  "clusters that get another prefix": () =>
    plan(
      many((n) => resource(`tls_private_key.a${n}__cp__x`, {}, { previous_address: `tls_private_key.b${n}__cp__x` })),
      { output_changes: Object.fromEntries(many((index) => [`c${index}_files`, { before: { cp: "{}" }, after: {} }])) },
    ),
};

test("large plans", () => {
  const start = performance.now();
  for (const make of Object.values(DOCUMENTS)) {
    const report = planReport(readPlan(make()));
    expect(report.verdict).not.toBe("nothing");
    renderText(report);
    renderMarkdown(report);
  }
  expect((performance.now() - start) / 1000).toBeLessThan(MAX_SECONDS);
});
