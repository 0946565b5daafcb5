import type { IConstruct } from "constructs";
import type { ClusterParts } from "./cluster-parts";

const PKIS = Symbol.for("cdktf-kubernetes-pki/pkis");

/** A PKI, as far as others have to fit it. */
export interface KnownPki extends IConstruct {
  /** What its files are made of. */
  readonly parts: ClusterParts;
  /** Whether machines have the private keys of authorities. */
  readonly authorityKeysOnMachines: boolean;
}

/** Every PKI of the app that was made so far: an app may have a hundred thousand constructs to look through. */
export function pkisOf(scope: IConstruct): KnownPki[] {
  const root = scope.node.root as IConstruct & { [PKIS]?: KnownPki[] };
  return (root[PKIS] ??= []);
}
