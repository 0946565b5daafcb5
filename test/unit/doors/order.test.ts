import {
  ClusterAccess,
  type ClusterAccessProps,
  ClusterPki,
  type ClusterPkiProps,
  Distribution,
  FilesSecret,
  Generation,
  inventoryOf,
  Subject,
  Validity,
} from "../../../lib";
import { THREE } from "../../support/cluster";
import { newStack, synth } from "../../support/synth";
import { accessStack, CA_PEM } from "../access/fixture";

// Where something was written says nothing: YAML that was sorted, or an object that was made of a Map, is the same description.

/** The same with the keys of every object the other way around. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(reversed) as T;
  }
  const isWritten = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isWritten
    ? (Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, reversed<unknown>(inner)]),
      ) as T)
    : value;
}

const { active, trusted, retired } = Generation;
const generations = { g1: trusted(), g2: active({ validity: Validity.years(5) }), g3: trusted(), g10: retired() };
const PKI: ClusterPkiProps = {
  distribution: Distribution.KUBEADM,
  cluster: { ...THREE, extraSans: [{ dns: ["a.example.com"], ips: ["192.0.2.1"] }] },
  authorities: { kubernetes: { generations }, "front-proxy": {}, etcd: { generations } },
  serviceAccount: { generations: { g1: trusted(), g2: active() } },
  certificates: { admin: { issuer: "g1" }, apiserver: { extraSans: ["b.example.com"], keyGeneration: "k2" } },
  subject: { organizationalUnit: "Platform", country: "DE", province: "Bavaria", locality: "Munich" },
};
const ACCESS: ClusterAccessProps = {
  distribution: Distribution.KUBEADM,
  cluster: THREE,
  certificateAuthority: CA_PEM,
  tokens: { workers: {}, edge: { rotateAfterHours: 12, description: "edge" }, spare: {} },
  labels: { team: "platform", "example.com/tier": "one" },
  annotations: { "example.com/b": "b", "example.com/a": "a" },
};

test("a PKI is the same, in whatever order its description is written", () => {
  const [written, other] = [PKI, reversed(PKI)].map((props) => {
    const stack = newStack();
    new ClusterPki(stack, "pki", props);
    return JSON.stringify([synth(stack), inventoryOf(stack)]);
  });
  expect(other).toBe(written);
});

test("access is the same, and a worker joins with the same token", () => {
  const [written, other] = [ACCESS, reversed(ACCESS)].map((props) => {
    const stack = accessStack();
    const access = new ClusterAccess(stack, "access", props);
    return JSON.stringify([synth(stack), inventoryOf(stack), Object.keys(access.tokens)]);
  });
  expect(other).toBe(written);
});

test("a Secret and a subject are the same", () => {
  const props = {
    name: "files",
    namespace: "default",
    files: [{ path: "/a", content: "a" }],
    labels: { b: "1", a: "2" },
  };
  const [written, other] = [props, reversed(props)].map((given) => {
    const stack = accessStack();
    new FilesSecret(stack, "files", given);
    return JSON.stringify(synth(stack));
  });
  expect(other).toBe(written);
  const fields = { commonName: "a", organization: "b", country: "DE" };
  expect(new Subject(reversed(fields)).toString()).toBe(new Subject(fields).toString());
});
