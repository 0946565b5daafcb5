import { synth } from "../../support/synth";
import { accessStack, BARE, messageOf } from "./fixture";
import { BootstrapToken, BootstrapTokenOptions, BootstrapTokenProps } from "../../../lib/access/bootstrap-token";
import { Distribution } from "../../../lib/kubernetes/distribution";
import { toTerraform } from "../../../lib/kubernetes/content-readers";

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
