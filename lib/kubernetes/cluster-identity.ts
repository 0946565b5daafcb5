import type { Problems } from "../errors";
import { blocksOf, CERTIFICATE, isLiteral } from "../x509/pem";
import { either, fields, Fields, flag, instanceOf, optional, text } from "../terraform/shape";
import { NAME_AND_ENDPOINT } from "./checks/cluster-shape";
import { TrustBundle } from "../x509/trust-bundle";
import type { Cluster } from "./cluster";
import { DISTRIBUTION, type Distribution } from "./distribution";
import { type Users, USERS } from "./users";

/** What others need to know of a cluster's PKI. All of it is public: a `ClusterPki`, or `ClusterPki.fromAttributes` where that is in another app. */
export interface IClusterPki {
  /** How the cluster is made. */
  readonly distribution: Distribution;
  /** The cluster's name and endpoint. */
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** The authorities that may have signed the API server's certificate: a bundle, or the whole bundle as PEM. */
  readonly certificateAuthority: TrustBundle | string;
  /**
   * People and pipelines, as they were described to it: `ClusterAccess` binds them.
   * @default - none
   */
  readonly users?: Users;
  /**
   * Whether machines have the private keys of authorities. Where they have none, nobody signs what a kubelet asks for: `ClusterAccess` makes
   * neither tokens nor what they are bound to.
   * @default true
   */
  readonly authorityKeysOnMachines?: boolean;
}

/** A PKI of another app, by what that app says of it. */
export interface ClusterPkiAttributes extends IClusterPki {
  /**
   * The whole bundle as PEM: literal text, a variable, or an output of the other app that has `pki.bundle().pem`. Whoever may read
   * an output through `terraform_remote_state` may read every key in that state: prefer text or a variable.
   */
  readonly certificateAuthority: string;
}

const BUNDLE = instanceOf(TrustBundle, "pki.bundle()");
const PEM = text("variable.stringValue", "PEM of certificates");

/** What is known of a PKI, where its parts are expected. */
export const PKI_FIELDS = {
  distribution: DISTRIBUTION,
  cluster: NAME_AND_ENDPOINT,
  certificateAuthority: either("a TrustBundle, or PEM of certificates", "pki.bundle()", (value) =>
    typeof value === "string" ? PEM : BUNDLE,
  ),
  users: optional(USERS),
  authorityKeysOnMachines: optional(flag),
} satisfies Fields<IClusterPki>;

/** A PKI, where one is expected: it may be more than that. */
export const PKI = fields(PKI_FIELDS, "any");

/** A bundle as PEM, a token where it is not literal text. Of text, the certificates alone. */
export function bundlePem(bundle: IClusterPki["certificateAuthority"]): string {
  if (typeof bundle !== "string") {
    return bundle.pem;
  }
  return isLiteral(bundle) ? blocksOf(CERTIFICATE, bundle).join("") : bundle;
}

/**
 * Where a PKI may be given instead of its parts, finds that both or neither were.
 *
 * @param more what the PKI says as well, and what may be left out without one
 */
export function checkPkiOrParts<Part extends string>(
  props: { readonly pki?: unknown } & Readonly<Partial<Record<Part, unknown>>>,
  parts: readonly Part[],
  problems: Problems,
  more: readonly Part[] = [],
): void {
  if (typeof props !== "object" || props === null) {
    return; // Its shape says so.
  }
  const given = [...parts, ...more].filter((part) => props[part] !== undefined);
  const missing = parts.filter((part) => props[part] === undefined);
  const allowed = `pki, or all of ${parts.join(", ")}`;
  if (props.pki !== undefined && given.length > 0) {
    const fix = `leave ${given.join(", ")} out: pki says that`;
    problems.add({ code: "pki-or-parts", at: "pki", given: `pki and ${given.join(", ")}`, allowed, fix });
  } else if (props.pki === undefined && missing.length > 0) {
    const fix = "give the ClusterPki, or ClusterPki.fromAttributes where that is in another app";
    problems.add({ code: "pki-or-parts", at: "pki", given: `no ${missing.join(", ")}`, allowed, fix });
  }
}
