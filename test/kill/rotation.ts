import { TlsProvider } from "@cdktf/provider-tls/lib/provider";
import { App, HttpBackend, LocalBackend, TerraformStack } from "cdktf";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ClusterPki, Distribution, Generation, GenerationOptions, Generations, inventoryOf } from "../../lib";

/** Where a rotation of all authorities and of the service accounts' key pair stands. */
export type Step = "first" | "introduce" | "promote" | "retire" | "remove" | "replace";

/** The steps that are taken, in their order. */
export const STEPS = ["introduce", "promote", "retire", "remove"] as const;

/** Fingerprints of the output, by title: `kubernetes g1`. */
export type Pins = Readonly<Record<string, string>>;

const AUTHORITIES = ["kubernetes", "front-proxy", "etcd"];
export const STACK = "rotation";

/** A generation, pinned where its fingerprint is known. */
type Pinned = (id: string) => GenerationOptions;

const GENERATIONS: Readonly<Record<Step, (pinned: Pinned) => Generations>> = {
  first: (pinned) => ({ g1: Generation.active(pinned("g1")) }),
  introduce: (pinned) => ({ g1: Generation.active(pinned("g1")), g2: Generation.trusted(pinned("g2")) }),
  promote: (pinned) => ({ g1: Generation.trusted(pinned("g1")), g2: Generation.active(pinned("g2")) }),
  retire: (pinned) => ({ g1: Generation.retired(pinned("g1")), g2: Generation.active(pinned("g2")) }),
  remove: (pinned) => ({ g2: Generation.active(pinned("g2")) }),
  // All at once: what an emergency may need.
  replace: (pinned) => ({ g1: Generation.retired(pinned("g1")), g2: Generation.active() }),
};

/** Synthesizes a kubeadm cluster with two control planes. Returns the folder of its stack. */
export function synthesize(
  folder: string,
  step: Step,
  { pins, http }: { pins: Pins; http?: string | undefined },
): string {
  const app = new App({ outdir: path.join(folder, "cdktf.out") });
  const stack = new TerraformStack(app, STACK);
  if (http === undefined) {
    new LocalBackend(stack, { path: `../../../${STACK}.tfstate` });
  } else {
    new HttpBackend(stack, { address: http, lockAddress: http, unlockAddress: http });
  }
  new TlsProvider(stack, "tls");
  const generationsOf = (name: string) => ({
    generations: GENERATIONS[step]((id) => {
      const fingerprint = pins[`${name} ${id}`];
      return fingerprint === undefined ? {} : { fingerprint };
    }),
  });
  new ClusterPki(stack, "pki", {
    addressPrefix: "sample",
    distribution: Distribution.KUBEADM,
    cluster: {
      name: "sample",
      endpoint: "api.sample.example.com:6443",
      serviceCidrs: ["10.96.0.0/16"],
      controlPlanes: [
        { name: "cp-1", addresses: ["10.0.0.11"] },
        { name: "cp-2", addresses: ["10.0.0.12"] },
      ],
    },
    authorities: Object.fromEntries(AUTHORITIES.map((name) => [name, generationsOf(name)])),
    serviceAccount: generationsOf("service-account"),
    ...(step === "replace" ? { certificates: { apiserver: { keyGeneration: "k2" } } } : {}),
  });
  const inventory = JSON.stringify(inventoryOf(stack));
  app.synth();
  const made = path.join(folder, "cdktf.out", "stacks", STACK);
  writeFileSync(path.join(made, "pki-inventory.json"), inventory);
  return made;
}
