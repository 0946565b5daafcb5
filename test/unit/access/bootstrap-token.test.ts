import { synth } from "../../support/synth";
import { accessStack, BARE, messageOf } from "./fixture";
import { BootstrapToken, BootstrapTokenOptions, BootstrapTokenProps } from "../../../lib/access/bootstrap-token";
import { Distribution } from "../../../lib/kubernetes/distribution";
import { TerraformVariable } from "cdktf";
import { evaluate, published, readPublished, toTerraform } from "../../../lib/kubernetes/content-readers";
import { inventoryOf } from "../../../lib/inventory/collect";

function synthesized(options: Partial<BootstrapTokenProps> = {}) {
  const stack = accessStack();
  const address = "access__token__workers";
  const token = new BootstrapToken(stack, "workers", { distribution: Distribution.KUBEADM, address, ...options });
  const { resource, ...rest } = synth(stack);
  return { token, resource, rest };
}

const dataOf = (options: Partial<BootstrapTokenProps>) =>
  synthesized(options).resource.kubernetes_secret_v1.access__token__workers.data;

const refused = (options: Partial<BootstrapTokenProps>) => messageOf(() => synthesized(options));

test("makes exactly these resources", () => {
  const keepers = { rotation: "${time_rotating.access__token__workers.rfc3339}" };
  expect(synthesized().resource).toEqual({
    time_rotating: { access__token__workers: { "//": expect.anything(), rotation_hours: 24 } },
    random_string: {
      access__token__workers: { "//": expect.anything(), length: 6, special: false, upper: false, keepers },
    },
    random_password: {
      access__token__workers: { "//": expect.anything(), length: 16, special: false, upper: false, keepers },
    },
    kubernetes_secret_v1: {
      access__token__workers: {
        "//": expect.anything(),
        metadata: {
          name: "bootstrap-token-${random_string.access__token__workers.result}",
          namespace: "kube-system",
        },
        type: "bootstrap.kubernetes.io/token",
        data: {
          "token-id": "${random_string.access__token__workers.result}",
          "token-secret": "${random_password.access__token__workers.result}",
          expiration: '${timeadd(time_rotating.access__token__workers.rfc3339, "72h")}',
          "usage-bootstrap-authentication": "true",
          "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
          description: "access__token__workers",
        },
        lifecycle: { create_before_destroy: true },
      },
    },
  });
});

test("publishes nothing", () => {
  expect(synthesized().rest).not.toHaveProperty("output");
});

test("is, as data, the id, a dot and the secret", () => {
  const { token } = synthesized();
  expect(toTerraform(token.token)).toBe(
    "${random_string.access__token__workers.result}.${random_password.access__token__workers.result}",
  );
});

test("signs cluster-info only when asked to", () => {
  expect(dataOf({ signing: true })).toHaveProperty("usage-bootstrap-signing", "true");
});

test("says what it is for", () => {
  expect(dataOf({ description: "rack 7" }).description).toBe("rack 7");
});

test("has the groups that were given, instead of the distribution's", () => {
  const groups = ["system:bootstrappers:prod:gpu", "system:bootstrappers:prod"];
  expect(dataOf({ groups })["auth-extra-groups"]).toBe("system:bootstrappers:prod:gpu,system:bootstrappers:prod");
});

test.each(["system:bootstrappers:a", "system:bootstrappers:a:b-c:9", `system:bootstrappers:${"a".repeat(256)}`])(
  "accepts the group %s",
  (group) => expect(refused({ groups: [group] })).toBe("nothing was thrown"),
);

test.each([
  "system:bootstrappers",
  "system:bootstrappers:",
  "system:bootstrappers:a-",
  "system:bootstrappers:a:",
  "system:bootstrappers:A",
  "system:bootstrappers:a_b",
  "system:bootstrappers:a,system:bootstrappers:b",
  "system:bootstrappers:a\n",
  "system:nodes",
  " system:bootstrappers:a",
  `system:bootstrappers:${"a".repeat(257)}`,
])("refuses the group %j", (group) => {
  expect(refused({ groups: [group] })).toContain(`[token-group] groups[0]: given ${JSON.stringify(group)}`);
});

test("refuses an empty list of groups", () => {
  expect(refused({ groups: [] })).toContain('[token-groups] groups: given "none"');
});

test.each([
  [{}, 24, "72h"],
  [{ pipelineIntervalHours: 1 }, 24, "26h"],
  [{ pipelineIntervalHours: 168 }, 24, "360h"],
  [{ rotateAfterHours: 1, pipelineIntervalHours: 1 }, 1, "3h"],
  [{ rotateAfterHours: 1, expireAfterHours: 49 }, 1, "49h"],
  [{ expireAfterHours: 100 }, 24, "100h"],
])("with %j it rotates after %d hours and expires after %s", (options, hours, expiration) => {
  const { time_rotating, kubernetes_secret_v1 } = synthesized(options).resource;
  expect(time_rotating.access__token__workers.rotation_hours).toBe(hours);
  expect(kubernetes_secret_v1.access__token__workers.data.expiration).toContain(`"${expiration}"`);
});

test.each([
  [{ expireAfterHours: 71 }, "24 + 2 * 24 = 72"],
  [{ rotateAfterHours: 25, expireAfterHours: 72 }, "25 + 2 * 24 = 73"],
  [{ pipelineIntervalHours: 1, expireAfterHours: 25 }, "24 + 2 * 1 = 26"],
  [{ pipelineIntervalHours: 168, expireAfterHours: 72 }, "24 + 2 * 168 = 360"],
])("refuses %j: it would expire before the run after a failed one", (options, sum) => {
  expect(refused(options)).toContain(
    `[token-expiry] expireAfterHours: given "${options.expireAfterHours} hours"; ` +
      `allowed: at least rotateAfterHours + 2 * pipelineIntervalHours = ${sum} hours`,
  );
});

// The rule itself: makes a token at one run of a pipeline, fails one later run, and looks whether each run finds it valid.
test.each([
  [24, 24],
  [24, 1],
  [1, 24],
  [5, 7],
  [24, 168],
])(
  "a token rotated after %d hours by a run every %d is valid until replaced, though any one run fails",
  (rotate, every) => {
    const minutes = (hours: number) => hours * 60;
    const expire = minutes(rotate + 2 * every);
    for (let failed = 1; failed <= rotate / every + 3; failed++) {
      // A run reads the clock a little earlier or later than the run that made the token did.
      for (const drift of [-1, 0]) {
        const runs = Array.from({ length: rotate + 5 }, (_, n) => ({ n: n + 1, at: minutes((n + 1) * every) + drift }));
        const replacedBy = runs.find(({ n, at }) => n !== failed && at >= minutes(rotate))!;
        expect(replacedBy.at).toBeLessThanOrEqual(expire);
      }
    }
  },
);

describe("staggered", () => {
  const ADDRESS = "access__token__workers";
  const SECOND = `${ADDRESS}__b`;

  test("makes a second token beside the first, whose addresses stay", () => {
    const { resource } = synthesized({ staggered: true });
    const types = ["kubernetes_secret_v1", "random_password", "random_string", "time_rotating"];
    expect(Object.entries(resource).map(([type, named]) => [type, Object.keys(named as object)])).toEqual(
      expect.arrayContaining(types.map((type) => [type, [ADDRESS, SECOND]])),
    );
    expect(resource.random_password[SECOND].keepers).toEqual({ rotation: `\${time_rotating.${SECOND}.rfc3339}` });
    expect(resource.kubernetes_secret_v1[SECOND].data).toMatchObject({
      "token-secret": `\${random_password.${SECOND}.result}`,
      expiration: `\${timeadd(time_rotating.${SECOND}.rfc3339, "96h")}`,
    });
  });

  test("takes the second one's phase from the first when it is made, and never again", () => {
    const { time_rotating } = synthesized({ staggered: true }).resource;
    expect(time_rotating[ADDRESS]).toEqual({ "//": expect.anything(), rotation_minutes: 84 * 60 });
    expect(time_rotating[SECOND]).toEqual({
      "//": expect.anything(),
      rotation_minutes: 84 * 60,
      rfc3339: `\${timeadd(time_rotating.${ADDRESS}.rfc3339, "48h")}`,
      lifecycle: { ignore_changes: ["rfc3339"] },
    });
  });

  test("is, as data, the one that was made later", () => {
    const { token } = synthesized({ staggered: true });
    const state = (first: string, second: string) => (reference: { address: string; attribute: string }) => {
      const isSecond = reference.address.endsWith("__b");
      return reference.attribute === "rfc3339" ? (isSecond ? second : first) : isSecond ? "second" : "first";
    };
    expect(evaluate(token.token, state("2026-11-30T08:09:40Z", "2026-11-30T08:06:12Z"))).toBe("first.first");
    expect(evaluate(token.token, state("2026-11-30T08:09:40Z", "2026-11-30T08:10:40Z"))).toBe("second.second");
    expect(toTerraform(token.token)).toMatch(/^\$\{timecmp\(.*\) >= 0 \? ".*" : ".*"\}$/);
  });

  test("has both in the inventory, each with its life", () => {
    const stack = accessStack();
    new BootstrapToken(stack, "workers", { distribution: Distribution.KUBEADM, staggered: true });
    expect(inventoryOf(stack).entries).toMatchObject([
      { name: "workers", rotateAfterHours: 48, expireAfterHours: 96 },
      { name: "workers__b", addresses: expect.arrayContaining(["time_rotating.workers__b"]), expireAfterHours: 96 },
    ]);
  });

  test.each<[BootstrapTokenOptions, number, number, string]>([
    [{}, 48, 84, "96h"],
    [{ pipelineIntervalHours: 12 }, 24, 42, "48h"],
    [{ pipelineIntervalHours: 1 }, 24, 47.5, "48h"],
    [{ rotateAfterHours: 2, pipelineIntervalHours: 1 }, 2, 3.5, "4h"],
    [{ rotateAfterHours: 72, expireAfterHours: 200 }, 72, 132, "200h"],
  ])("with %j a new one comes every %d hours, each after %d, and ends after %s", (options, every, hours, end) => {
    const { time_rotating, kubernetes_secret_v1 } = synthesized({ staggered: true, ...options }).resource;
    expect(time_rotating[SECOND].rfc3339).toContain(`"${every}h"`);
    expect(time_rotating[SECOND].rotation_minutes).toBe(hours * 60);
    expect(kubernetes_secret_v1[SECOND].data.expiration).toContain(`"${end}"`);
  });

  test.each([
    [{ rotateAfterHours: 24 }, "[token-staggered] rotateAfterHours", "2 * pipelineIntervalHours = 2 * 24 = 48 hours"],
    [{ expireAfterHours: 95 }, "[token-expiry] expireAfterHours", "2 * rotateAfterHours = 2 * 48 = 96 hours"],
  ])("refuses %j", (options, at, allowed) => {
    const message = refused({ staggered: true, ...options });
    expect(message).toContain(at);
    expect(message).toContain(`at least ${allowed}`);
  });

  // The provider's own rules, as test/e2e/sandbox.test.ts has them happen: one that is past its time is made anew, from now or from the
  // base that is given; what is not past it stays.
  interface Slot {
    readonly base: number;
    readonly due: number;
    replaced?: number;
  }

  /** Runs a pipeline, and says what came of each token that files named until another came. */
  function played(rotate: number, every: number, ...failing: number[]) {
    const { resource } = synthesized({ staggered: true, rotateAfterHours: rotate, pipelineIntervalHours: every });
    const after = resource.time_rotating[SECOND].rotation_minutes / 60;
    const lives = Number(/"(\d+)h"/.exec(resource.kubernetes_secret_v1[SECOND].data.expiration)![1]);
    const lifeOf = (failed: number) => playedOnce({ rotate, every, after, lives, failed });
    const results = failing.map(lifeOf);
    return { left: Math.min(...results.map(({ left }) => left)), both: Math.max(...results.map(({ both }) => both)) };
  }

  interface Rhythm {
    readonly rotate: number;
    readonly every: number;
    readonly after: number;
    readonly lives: number;
    readonly failed: number;
  }

  function playedOnce({ rotate, every, after, lives, failed }: Rhythm) {
    const made = (base: number) => ({ base, due: base + after }) as Slot;
    let [first, second] = [made(0), made(rotate)];
    let both = 0;
    const superseded: [Slot, number][] = [];
    for (let run = 1; run < (12 * rotate) / every; run++) {
      // A tenth of an interval early or late, in an order that repeats in no rhythm.
      const now = run * every + (Math.sin(run * run) * every) / 10;
      const [firstDue, secondDue] = [now > first.due, now > second.due];
      if (run === failed || !(firstDue || secondDue)) {
        continue;
      }
      superseded.push([first.base >= second.base ? first : second, now]);
      both += Number(firstDue && secondDue);
      if (firstDue) {
        first.replaced = now;
        first = made(now);
      }
      if (secondDue) {
        second.replaced = now;
        second = made(first.base + rotate);
      }
    }
    const left = superseded.map(([{ base, replaced = Infinity }, now]) => Math.min(base + lives, replaced) - now);
    return { left: Math.min(...left), both };
  }

  const RHYTHMS: [number, number][] = [
    [48, 24],
    [24, 12],
    [24, 1],
    [2, 1],
    [96, 24],
    [336, 168],
  ];
  const ODD: [number, number][] = [
    [5, 2],
    [7, 3],
    [100, 24],
  ];
  const anyRun = (rotate: number, every: number) => Array.from({ length: (8 * rotate) / every }, (_, run) => run + 1);

  test.each(RHYTHMS)("every %d hours by a run every %d, the one before still joins", (rotate, every) => {
    const { left, both } = played(rotate, every, -1);
    expect(both).toBe(0);
    expect(left).toBeGreaterThan(rotate - every);
  });

  test.each(RHYTHMS)("every %d hours by a run every %d, so it does though any one run fails", (rotate, every) => {
    const { left, both } = played(rotate, every, ...anyRun(rotate, every));
    expect(both).toBe(0);
    // Both of the runs that count may be off their time.
    expect(left).toBeGreaterThan(rotate - every - every / 4);
  });

  test.each(ODD)("every %d hours by a run every %d, it joins yet when the next one comes", (rotate, every) => {
    const { left, both } = played(rotate, every, -1, ...anyRun(rotate, every));
    expect(both).toBe(0);
    expect(left).toBeGreaterThan(0);
  });
});

describe("with an end of its own", () => {
  const EXPIRES = "2031-01-31T17:00:00Z";

  test("is not rotated, and no longer made after it", () => {
    const { resource } = synthesized({ expires: "2031-01-31T18:00:00+01:00" });
    expect(resource).not.toHaveProperty("time_rotating");
    expect(resource.random_password.access__token__workers.keepers).toEqual({ expires: EXPIRES });
    expect(resource.kubernetes_secret_v1.access__token__workers).toMatchObject({
      count: `\${timecmp(plantimestamp(), "${EXPIRES}") < 0 ? 1 : 0}`,
      data: { expiration: EXPIRES },
    });
  });

  test.each([
    ["2031-01-31T17:00:00Z", EXPIRES],
    ["2031-01-31T17:00:00.999Z", EXPIRES],
    ["2031-01-31t17:00:00z", EXPIRES],
    ["2031-02-01T06:45:00+13:45", EXPIRES],
    ["2030-12-31T19:00:00-05:00", "2031-01-01T00:00:00Z"],
    ["2032-02-29T00:00:00+00:01", "2032-02-28T23:59:00Z"],
    ["2031-01-31T17:00:00-00:00", EXPIRES],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
  ])("takes %s for %s", (expires, utc) => {
    expect(dataOf({ expires }).expiration).toBe(utc);
  });

  test.each([
    "",
    "tomorrow",
    "Never",
    "2031-01-31",
    "2031-01-31T17:00:00",
    "2031-01-31 17:00:00Z",
    "2031-02-29T00:00:00Z",
    "2031-13-01T00:00:00Z",
    "2031-01-31T24:00:00Z",
    "2031-01-31T17:60:00Z",
    "2031-01-31T17:00:60Z",
    "2031-01-31T17:00:00+24:00",
    "2031-01-31T17:00:00+01:60",
    "2031-01-31T17:00:00+0100",
    "9999-12-31T23:59:59-00:01",
    "2025-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2031-01-31T17:00:00Z\n",
  ])("refuses %j", (expires) => {
    expect(refused({ expires })).toContain(`[token-expires] expires: given ${JSON.stringify(expires)}`);
  });

  test("refuses hours of a rotation beside it", () => {
    const message = refused({ expires: EXPIRES, rotateAfterHours: 24, staggered: true });
    expect(message).toContain("[token-life] rotateAfterHours: given 24");
    expect(message).toContain("[token-life] staggered: given true");
    expect(refused({ expires: EXPIRES, staggered: false })).toBe("nothing was thrown");
  });

  test("or none says so, in the inventory and in a warning", () => {
    const stack = accessStack();
    const token = new BootstrapToken(stack, "workers", { distribution: Distribution.KUBEADM, expires: "never" });
    const { data, count } = synth(stack).resource.kubernetes_secret_v1.workers;
    expect(data).not.toHaveProperty("expiration");
    expect(count).toBeUndefined();
    expect(inventoryOf(stack).entries).toMatchObject([{ name: "workers", expires: "never" }]);
    expect(token.rotation).toBeUndefined();
    expect(token.node.metadata.map(({ data }) => data as unknown)).toEqual([
      expect.stringMatching(/^the token never expires: /),
    ]);
  });

  test("does not warn of an end that comes", () => {
    expect(synthesized({ expires: EXPIRES }).token.node.metadata).toEqual([]);
  });
});

describe("made elsewhere", () => {
  const SECRET = "0123456789abcdef";

  function given(options: Partial<BootstrapTokenOptions> = {}, id?: string) {
    const stack = accessStack();
    const variable = (name: string) => new TerraformVariable(stack, name, { type: "string", sensitive: true });
    const token = { id: id ?? variable("id").stringValue, secret: variable("secret").stringValue };
    const props = { distribution: Distribution.KUBEADM, token, expires: "never", ...options };
    return { stack, made: new BootstrapToken(stack, "workers", props) };
  }

  test("is a Secret alone, and is read there", () => {
    const { stack, made } = given();
    const { resource } = synth(stack);
    expect(Object.keys(resource as object)).toEqual(["kubernetes_secret_v1"]);
    expect(resource.kubernetes_secret_v1.workers).toMatchObject({
      metadata: { name: "bootstrap-token-${var.id}" },
      data: { "token-id": "${var.id}", "token-secret": "${var.secret}" },
    });
    const address = "kubernetes_secret_v1.workers";
    expect(made.id).toEqual({ address, attribute: "data.token-id" });
    expect(toTerraform(made.token)).toBe(`\${${address}.data.token-id}.\${${address}.data.token-secret}`);
    expect(made.tokenId).toBeUndefined();
    expect(inventoryOf(stack).entries).toMatchObject([{ kind: "token", addresses: [address], expires: "never" }]);
  });

  test("is read where Terraform has it, where it has an end", () => {
    const { made } = given({ expires: "2031-01-31T17:00:00Z" });
    expect(made.id.address).toBe("kubernetes_secret_v1.workers[0]");
    expect(readPublished(JSON.parse(JSON.stringify(published(made.token))))).toEqual(made.token);
  });

  test("is looked at by Terraform, which does not say what it saw", () => {
    const { precondition } = synth(given().stack).resource.kubernetes_secret_v1.workers.lifecycle;
    expect(precondition).toEqual([
      {
        condition: '${can(regex("^[a-z0-9]{6}$", "${var.id}"))}',
        error_message: expect.stringMatching(/^\[token-id\] token\.id: allowed: six lower-case/),
      },
      {
        condition: '${can(regex("^[a-z0-9]{16}$", "${var.secret}"))}',
        error_message: expect.stringMatching(/^\[token-secret\] token\.secret: allowed: sixteen lower-case/),
      },
    ]);
  });

  test("may have its id in the code, which is public", () => {
    const { stack } = given({}, "abcdef");
    const { metadata, lifecycle } = synth(stack).resource.kubernetes_secret_v1.workers;
    expect(metadata.name).toBe("bootstrap-token-abcdef");
    expect(lifecycle.precondition).toHaveLength(1);
  });

  test.each(["", "abcde", "abcdefg", "Abcdef", "abcde\n", "abcdef\n", "ábcdef"])("refuses the id %j", (id) => {
    expect(messageOf(() => given({}, id))).toContain(`[token-id] token.id: given ${JSON.stringify(id)}`);
  });

  test("refuses a secret in the code, and does not repeat it", () => {
    const message = refused({ token: { id: "abcdef", secret: SECRET }, expires: "never" });
    expect(message).toContain('[token-secret] token.secret: given "text that stands in the code"');
    expect(message).not.toContain(SECRET);
  });

  test("refuses a secret that is a number, and does not repeat it", () => {
    const message = refused({ token: { id: "abcdef", secret: 123456 as never }, expires: "never" });
    expect(message).toContain("[wrong-type] token.secret");
    expect(message).not.toContain("123456");
  });

  test("has to say when it ends", () => {
    expect(messageOf(() => given({ expires: undefined }))).toContain("[token-life] expires: given");
    expect(messageOf(() => given({ rotateAfterHours: 24 }))).toContain("[token-life] rotateAfterHours: given 24");
  });
});

test.each([0, -1, 1.5])("refuses %d hours", (hours) => {
  expect(refused({ rotateAfterHours: hours })).toContain("[token-hours] rotateAfterHours: given");
  expect(refused({ expireAfterHours: hours })).toContain("[token-hours] expireAfterHours: given");
  expect(refused({ pipelineIntervalHours: hours })).toContain("[token-hours] pipelineIntervalHours: given");
});

test("names all problems at once", () => {
  expect(refused({ expireAfterHours: 24, groups: ["gpu", "system:masters"] })).toMatch(
    /^3 problems at prod-access\/workers\n/,
  );
});

describe("of k0s", () => {
  const distribution = Distribution.K0S;
  const token = {
    "token-id": "${random_string.access__token__workers.result}",
    "token-secret": "${random_password.access__token__workers.result}",
    expiration: '${timeadd(time_rotating.access__token__workers.rfc3339, "72h")}',
  };

  // pkg/token/manager.go, RandomBootstrapSecret
  test.each<[string, BootstrapTokenOptions, object]>([
    [
      "a worker",
      {},
      { "usage-bootstrap-authentication": "true", description: "Worker bootstrap token generated by k0s" },
    ],
    [
      "a controller",
      { joins: "controller" },
      {
        "usage-bootstrap-controller-join": "true",
        "usage-controller-join": "true",
        description: "Controller bootstrap token generated by k0s",
      },
    ],
  ])("for %s has exactly the keys that k0s gives it, and no group beside system:bootstrappers", (_, options, keys) => {
    expect(dataOf({ distribution, ...options })).toEqual({ ...token, ...keys });
    expect(synthesized({ distribution, ...options }).token.groups).toEqual([]);
  });

  test("may have groups of one's own when a worker joins with it", () => {
    const groups = ["system:bootstrappers:prod:gpu"];
    expect(dataOf({ distribution, groups })["auth-extra-groups"]).toBe("system:bootstrappers:prod:gpu");
  });

  test("refuses groups when a controller joins with it: they would say nothing", () => {
    const groups = ["system:bootstrappers:prod:gpu"];
    expect(refused({ distribution, joins: "controller", groups })).toContain(
      '[token-groups] groups: given "system:bootstrappers:prod:gpu"; ' +
        "allowed: none: the API server lets nobody in with such a token; fix: leave groups out",
    );
  });
});

test.each(["controller", "toString", ""])(
  "refuses to let %j join where the distribution knows no such thing",
  (joins) => {
    expect(refused({ joins })).toContain(
      `[token-joins] joins: given ${JSON.stringify(joins)}; allowed: worker; fix: use one of these names`,
    );
  },
);

test("is refused where nothing joins with a bootstrap token", () => {
  expect(refused({ distribution: BARE })).toContain(
    '[token-joins] joins: given "nothing"; allowed: none: nothing joins this distribution with a bootstrap token; ' +
      "fix: make no token",
  );
});

test("is for what the distribution names first when nothing else is said", () => {
  const { table } = Distribution.K0S;
  const { worker, controller } = table.access.tokens;
  const tokens = { controller: controller!, worker: worker! };
  const distribution = new Distribution({ ...table, access: { ...table.access, tokens } });
  expect(synthesized({ distribution }).token.row).toBe(controller);
});
