import { isDeepStrictEqual } from "node:util";
import { TerraformStack, Token } from "cdktf";
import type { IConstruct } from "constructs";
import type { Problems } from "../errors";
import { tokenText } from "../terraform/token-text";
import { canonicalHost } from "../x509/host";
import { SubjectAltNames } from "../x509/subject-alt-names";
import { TrustBundle } from "../x509/trust-bundle";
import { type Cluster, hostAndPort, hostPort } from "../kubernetes/cluster";
import type { Distribution } from "../kubernetes/distribution";
import { fillNames, holdersOf } from "../kubernetes/holders";
import { type KnownPki, pkisOf } from "../kubernetes/pkis";

/** What an access stack says of a cluster that its PKI says, too. */
interface Described {
  readonly distribution: Distribution;
  readonly cluster: Pick<Cluster, "name" | "endpoint">;
  /** What the cluster itself publishes where there is none. */
  readonly certificateAuthority?: TrustBundle | string;
  /** Whether somebody signs what kubelets ask for. */
  readonly authorityKeysOnMachines: boolean;
}

/**
 * Finds where the access to a cluster contradicts the PKI of that cluster, wherever in the app this is: what joins would be given the
 * files of another distribution, or would look for the API server where its certificate is not valid.
 */
export function checkBesidePki(scope: IConstruct, described: Described, problems: Problems): void {
  const { distribution, cluster, certificateAuthority, authorityKeysOnMachines } = described;
  const pki = pkiOf(scope, described);
  if (pki === undefined) {
    return;
  }
  const { table, cluster: known, authorities } = pki.parts;
  const contradicts = (at: string, given: unknown, allowed: string, fix: string) =>
    problems.add({ code: "other-cluster", at, given, allowed: `${allowed}, as ${pki.node.path} has it`, fix });
  const same =
    "give { pki } in place of distribution, cluster and certificateAuthority, or the description that the ClusterPki has";
  const facts = [
    ["distribution", distribution.table.name, table.name],
    ["cluster.name", cluster.name, known.name],
  ] as const;
  const others = facts.filter(([, given, expected]) => given !== expected);
  for (const [at, given, expected] of others) {
    contradicts(at, given, JSON.stringify(expected), same);
  }
  // Of another distribution all of it is another one.
  if (!others.includes(facts[0]) && !isDeepStrictEqual(distribution.table.access, table.access)) {
    contradicts("distribution", distribution.table.name, "the options", same);
  }
  if (authorityKeysOnMachines !== pki.authorityKeysOnMachines) {
    contradicts("authorityKeysOnMachines", authorityKeysOnMachines, String(pki.authorityKeysOnMachines), same);
  }
  if (!isEndpointOf(scope, cluster, known)) {
    const { endpoint } = known;
    const allowed = Token.isUnresolved(hostAndPort(endpoint).host) ? "the endpoint" : hostPort(hostAndPort(endpoint));
    const fix = `${same}, or add the host to the extraSans of that ClusterPki`;
    contradicts("cluster.endpoint", hostPort(hostAndPort(cluster.endpoint)), allowed, fix);
  }
  const bundle = authorities.get(table.apiServerAuthority)!.bundle;
  if (certificateAuthority instanceof TrustBundle && certificateAuthority !== bundle) {
    const fix = "write pki.bundle(), without a name";
    const given = "the bundle of another authority";
    contradicts("certificateAuthority", given, `that of ${table.apiServerAuthority}`, fix);
  }
}

/** The PKI whose bundle it is; where that is text, the one of that cluster in the same stack. */
function pkiOf(scope: IConstruct, { certificateAuthority, cluster }: Described): KnownPki | undefined {
  const all = pkisOf(scope);
  const stack = TerraformStack.of(scope);
  return (
    all.find(({ parts }) => [...parts.authorities.values()].some(({ bundle }) => bundle === certificateAuthority)) ??
    all.find((pki) => TerraformStack.of(pki) === stack && pki.parts.cluster.name === cluster.name)
  );
}

/** True for the same endpoint, and for another host that is among the names of every API server: an inner load balancer. */
function isEndpointOf(scope: IConstruct, { endpoint }: Pick<Cluster, "endpoint">, known: Cluster): boolean {
  const [here, there] = [hostAndPort(endpoint), hostAndPort(known.endpoint)];
  if (tokenText(scope, here.host) === tokenText(scope, there.host)) {
    return here.port === there.port;
  }
  const nobody = holdersOf({ ...known, controlPlanes: [] })[0]!;
  const { dns, ips } = SubjectAltNames.of(...fillNames(["{extraSans}"], known, nobody));
  // What Terraform alone knows may be the same.
  return [here.host, there.host].some(Token.isUnresolved) || [...dns, ...ips].includes(canonicalHost(here.host));
}
