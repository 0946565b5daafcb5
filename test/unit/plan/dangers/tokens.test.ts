import { TOKEN_DANGERS } from "../../../../lib/plan/judge/dangers/tokens";
import { planReport } from "../../../../lib/plan/judge/report";
import { PlanModel } from "../../../../lib/plan/model/model";
import { undecidedOf } from "../../../../lib/plan/model/undecided";
import { readPlan } from "../../../../lib/terraform-json/plan";
import { Change, configuration, plan, REPLACE, resource, SECRET } from "../plans";
import { codes, found, inventoryOf, seen } from "./found";

afterAll(() => expect([...seen]).toEqual(expect.arrayContaining(Object.keys(TOKEN_DANGERS))));

const NAME = "prod__token__workers";
const ADDRESS = {
  secret: `kubernetes_secret_v1.${NAME}`,
  rotation: `time_rotating.${NAME}`,
  id: `random_string.${NAME}`,
  password: `random_password.${NAME}`,
};
const MADE = "2026-01-01T00:00:00Z";
/** 72 hours later. */
const ENDS = "2026-01-04T00:00:00Z";
const GROUP = "system:bootstrappers:kubeadm:default-node-token";
const data = (more: object = {}) => ({
  "token-id": `${SECRET}id`,
  "token-secret": SECRET,
  expiration: ENDS,
  "usage-bootstrap-authentication": "true",
  "auth-extra-groups": GROUP,
  description: SECRET,
  ...more,
});
const secretOf = (more: object = {}) => ({ type: "bootstrap.kubernetes.io/token", data: data(more) });
const keepers = { keepers: { rotation: MADE }, result: SECRET };

type Changes = Partial<Record<keyof typeof ADDRESS, Change>>;

/** A token that is deployed, with what is given. All of its data is sensitive, as the provider says. */
function token(changes: Changes, more: object = {}): Record<string, unknown> {
  const states = {
    secret: secretOf(),
    rotation: { rfc3339: MADE, rotation_hours: 24 },
    id: keepers,
    password: keepers,
  };
  const parts = Object.keys(ADDRESS) as (keyof typeof ADDRESS)[];
  return plan(
    parts.map((part) =>
      resource(ADDRESS[part], {
        before: states[part],
        after: states[part],
        ...(part === "secret" ? { before_sensitive: { data: true }, after_sensitive: { data: true } } : {}),
        ...changes[part],
      }),
    ),
    {
      configuration: configuration([
        [ADDRESS.secret, "data", `${ADDRESS.password}.result`],
        [ADDRESS.password, "keepers", `${ADDRESS.rotation}.rfc3339`],
      ]),
      ...more,
    },
  );
}

const updated = (more: object): Changes => ({ secret: { actions: ["update"], after: secretOf(more) } });
const later = { expiration: undefined, "token-id": undefined, "token-secret": undefined };
const LATER = { data: { expiration: true, "token-id": true, "token-secret": true } };

/** What the nightly run does: the rotation's time has come, and all that is made of it is made anew. */
const rotated = (more: object = {}): Changes => ({
  rotation: { actions: ["create"], before: null, after: { rotation_hours: 24 }, after_unknown: { rfc3339: true } },
  id: { actions: REPLACE, after: {}, after_unknown: { result: true, keepers: { rotation: true } } },
  password: { actions: REPLACE, after: {}, after_unknown: { result: true, keepers: { rotation: true } } },
  secret: { actions: REPLACE, after: secretOf({ ...later, ...more }), after_unknown: LATER },
});
const entry = {
  kind: "token",
  name: "workers",
  addresses: Object.values(ADDRESS),
  groups: [GROUP],
  usages: ["bootstrap-authentication"],
};
const undecided = (document: object, ...inventories: Parameters<typeof inventoryOf>) =>
  new PlanModel(readPlan(document), inventoryOf(...inventories).inventories!).identities.flatMap(undecidedOf);

describe("a bootstrap token", () => {
  test.each([
    [
      "has one more group",
      { "auth-extra-groups": `${GROUP},system:bootstrappers:admins` },
      "the group system:bootstrappers:admins",
    ],
    ["has a group that no token may have", { "auth-extra-groups": "system:masters" }, "the group (not shown)"],
    ["may sign", { "usage-bootstrap-signing": "true" }, "its use for bootstrap-signing"],
    ["lives longer", { expiration: "2027-01-01T00:00:00Z" }, "it lives 8760 hours instead of 72"],
    ["never ends", { expiration: undefined }, "it never ends"],
  ])("that %s is a danger", (_, more, message) => {
    const dangers = found(token(updated(more)));
    expect(dangers.map(({ code, name }) => [code, name])).toEqual([["token-widened", "workers"]]);
    expect(dangers[0]!.message).toContain(message);
    expect(JSON.stringify(planReport(readPlan(token(updated(more)))))).not.toContain(SECRET);
  });

  test.each([
    ["has other words", { description: "other" }],
    ["ends earlier", { expiration: "2026-01-02T00:00:00Z" }],
    ["has a group less", { "auth-extra-groups": undefined }],
  ])("that %s is none", (_, more) => {
    expect(codes(token(updated(more)))).toEqual([]);
  });

  test("that is new is none", () => {
    expect(codes(token({ secret: { actions: ["create"], before: null } }))).toEqual([]);
  });

  test("shows groups, uses and end before and after, and nothing secret", () => {
    const report = planReport(readPlan(token(updated({ expiration: "2026-01-05T00:00:00Z" }))));
    expect(report.changes).toMatchObject([
      {
        before: { groups: [GROUP], usages: ["bootstrap-authentication"], expires: ENDS },
        differences: [{ what: "expires", before: ENDS, after: "2026-01-05T00:00:00Z" }],
      },
    ]);
    expect(JSON.stringify(report)).not.toContain(SECRET);
  });

  test("whose end has no such form is not shown", () => {
    const report = planReport(readPlan(token(updated({ expiration: SECRET }))));
    expect(JSON.stringify(report)).not.toContain(SECRET);
  });
});

describe("a rotated token", () => {
  test("that lives as long as before is none, by the hours that the inventory has", () => {
    const hours = { rotateAfterHours: 24, expireAfterHours: 72 };
    expect(codes(token(rotated()), inventoryOf({ ...entry, ...hours }))).toEqual([]);
    expect(undecided(token(rotated()), { ...entry, ...hours })).toEqual([]);
  });

  test("that lives longer is one, though its end is not known yet", () => {
    const inventory = inventoryOf({ ...entry, rotateAfterHours: 24, expireAfterHours: 720 });
    expect(found(token(rotated()), inventory)[0]!.message).toContain("it lives 720 hours instead of 72");
  });

  test("with one more group is one", () => {
    const more = { "auth-extra-groups": `${GROUP},system:bootstrappers:x` };
    expect(codes(token(rotated(more)))).toEqual([["token-widened", "workers"]]);
  });

  test("of which nobody says how long it lives is not taken for one that lives as long", () => {
    expect(undecided(token(rotated()))).toEqual(["data.expiration"]);
  });

  /** Where a part of a map is still to come, the real provider says that all of it is. */
  const asProvider: Changes = {
    ...rotated(),
    secret: { actions: REPLACE, after: { type: "bootstrap.kubernetes.io/token" }, after_unknown: { data: true } },
  };

  test("of which all is still to come is what the inventory says", () => {
    const said = { ...entry, rotateAfterHours: 24, expireAfterHours: 72 };
    expect(codes(token(asProvider), inventoryOf(said))).toEqual([]);
    expect(undecided(token(asProvider), said)).toEqual([]);
    expect(found(token(asProvider), inventoryOf({ ...said, groups: [GROUP, `${GROUP}s`] }))[0]!.message).toContain(
      `the group ${GROUP}s`,
    );
    const signing = { ...said, usages: [...entry.usages, "bootstrap-signing"] };
    expect(found(token(asProvider), inventoryOf(signing))[0]!.message).toContain("its use for bootstrap-signing");
    expect(found(token(asProvider), inventoryOf({ ...said, expireAfterHours: 8760 }))[0]!.message).toContain("8760");
    expect(undecided(token(asProvider))).toEqual(["data"]);
    expect(codes(token(asProvider))).toEqual([]);
  });

  test("that no longer ends is one, and one that ends at a time is known by it", () => {
    const said = (expires: string) => ({ ...entry, expires });
    expect(found(token(asProvider), inventoryOf(said("never")))[0]!.message).toContain("it never ends");
    expect(found(token(asProvider), inventoryOf(said("2031-01-31T17:00:00Z")))[0]!.message).toContain(
      `it ends 2031-01-31T17:00:00Z instead of ${ENDS}`,
    );
    expect(codes(token(asProvider), inventoryOf(said("2026-01-03T00:00:00Z")))).toEqual([]);
    expect(undecided(token(asProvider), said("never"))).toEqual([]);
  });

  test("whose groups cannot be read is not taken for one with the same", () => {
    const data = { ...LATER.data, "auth-extra-groups": true };
    const secret = { ...rotated().secret, after_unknown: { data } };
    expect(undecided(token({ ...rotated(), secret }))).toContain("data.auth-extra-groups");
    expect(undecided(token({ ...rotated(), secret: { ...secret, after_unknown: { data: true } } }))).toEqual(["data"]);
    const hidden = { ...secretOf(), binary_data: { "auth-extra-groups": "c3lzdGVt" } };
    expect(undecided(token({ secret: { actions: ["update"], after: hidden } }))).toEqual(["binary_data"]);
  });
});
