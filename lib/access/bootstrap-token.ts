import { inventoried } from "../terraform/inventoried";
import { Fn } from "cdktf";
import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1";
import { Password } from "@cdktf/provider-random/lib/password";
import { StringResource } from "@cdktf/provider-random/lib/string-resource";
import { Rotating } from "@cdktf/provider-time/lib/rotating";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { didYouMean } from "../terraform/closest";
import { constructId } from "../terraform/construct-id";
import {
  checkShape,
  fields,
  Fields,
  flag,
  list,
  name as nameShape,
  number,
  optional,
  plainText,
} from "../terraform/shape";
import { KubernetesObjectProps, metaArguments, metadata, OBJECT_FIELDS } from "./kubernetes-object";
import { expression, Reference } from "../terraform/reference";
import { pin } from "../terraform/pin";
import { AccessRow, TokenRow } from "../kubernetes/table";
import { Content } from "../kubernetes/content";
import { Distribution, DISTRIBUTION } from "../kubernetes/distribution";

/** What may be chosen for a bootstrap token. */
export interface BootstrapTokenOptions {
  /**
   * Hours after which the next apply makes a new token.
   * @default 24
   */
  readonly rotateAfterHours?: number;
  /**
   * Hours after which the API server no longer accepts the token: at least `rotateAfterHours + 2 * pipelineIntervalHours`.
   * @default - rotateAfterHours + 2 * pipelineIntervalHours, which is 72
   */
  readonly expireAfterHours?: number;
  /**
   * Hours between two runs of the pipeline that applies the stack.
   * @default 24
   */
  readonly pipelineIntervalHours?: number;
  /**
   * What joins with it, by the distribution's names: `worker`; k0s also knows `controller`.
   * @default - what the distribution names first, `worker`
   */
  readonly joins?: string;
  /**
   * Groups of a client that authenticates with the token, beside `system:bootstrappers`, which Kubernetes adds by itself. Only for a
   * token that authenticates: that of k0s' controllers does not.
   * @default - the distribution's, for what joins with it
   */
  readonly groups?: readonly string[];
  /**
   * Lets the token sign the `cluster-info` ConfigMap too, for `kubeadm join` with `--discovery-token`.
   * @default false
   */
  readonly signing?: boolean;
  /**
   * What the token is for, as `kubeadm token list` shows it.
   * @default - the distribution's words, or its Terraform name
   */
  readonly description?: string;
}

/** Props of a {@link BootstrapToken}. */
export interface BootstrapTokenProps extends BootstrapTokenOptions, KubernetesObjectProps {
  /** How the cluster is made. */
  readonly distribution: Distribution;
  /**
   * Terraform name of its resources.
   * @default - the construct's id
   */
  readonly address?: string;
}

const OPTIONS = {
  rotateAfterHours: optional(number(24)),
  expireAfterHours: optional(number(72)),
  pipelineIntervalHours: optional(number(24)),
  joins: optional(nameShape("worker")),
  groups: optional(list(nameShape("system:bootstrappers:workers"))),
  signing: optional(flag),
  description: optional(plainText("joins workers")),
} satisfies Fields<BootstrapTokenOptions>;

/** What may be chosen for a token, as it has to look. */
export const BOOTSTRAP_TOKEN_OPTIONS = fields(OPTIONS);

const PROPS = fields({
  ...OPTIONS,
  ...OBJECT_FIELDS,
  distribution: DISTRIBUTION,
  address: optional(nameShape("workers")),
} satisfies Fields<BootstrapTokenProps>);

/**
 * A token with which nodes join: they authenticate with it once, and get a certificate of their own.
 *
 * It is rotated by the first apply that runs `rotateAfterHours` or more after it was made. With a run every
 * `pipelineIntervalHours` that apply starts less than `rotateAfterHours + pipelineIntervalHours` after it was made. Should it
 * fail, the next one starts less than `rotateAfterHours + 2 * pipelineIntervalHours` after. A token that lives that long, by
 * default 24 + 2 × 24 = 72 hours, is therefore valid until there is another one, though the pipeline failed once.
 *
 * A rotation creates the new Secret before it deletes the old one. From then on only the new token joins: export or deliver
 * after each apply. A plan with `-refresh=false` never rotates.
 *
 * In the Terraform state: the token's secret, three times (the password, its bcrypt hash, the Secret). Its id is public.
 *
 * @throws PkiError when the token would expire too early, a group is not one of bootstrappers or has no effect, or the distribution
 * has no such token
 * @see https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export class BootstrapToken extends Construct {
  /** The distribution's row for tokens of this kind. */
  public readonly row: TokenRow;
  /** Groups of a client that authenticates with it, beside `system:bootstrappers`. */
  public readonly groups: readonly string[];
  /** The token id, which is public, as a reference to the state. Its user is `system:bootstrap:<id>`. */
  public readonly id: Reference;
  /** The whole token, `<token id>.<token secret>`, as data. */
  public readonly token: Content;
  /** The L1 that says when token id and token secret are replaced. */
  public readonly rotation: Rotating;
  /** The L1 of the token id. */
  public readonly tokenId: StringResource;
  /** The L1 of the token secret. */
  public readonly tokenSecret: Password;
  /** The L1 of the Secret. */
  public readonly resource: SecretV1;

  public constructor(scope: Construct, id: string, props: BootstrapTokenProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { tokens } = props.distribution.table.access;
    const problems = new Problems();
    checkBootstrapToken(props, tokens, problems);
    problems.throwIfAny(this.node.path);

    const name = props.address ?? id;
    const { rotateAfterHours, expireAfterHours } = lifetimeOf(props);
    this.row = rowOf(props, tokens)!;
    const { usages, group, description = name } = this.row;
    this.groups = [...(props.groups ?? (group === undefined ? [] : [group]))];
    const used = {
      ...Object.fromEntries(usages.map((usage) => [usage, "true"])),
      ...(props.signing ? { "usage-bootstrap-signing": "true" } : {}),
    };
    this.rotation = new Rotating(this, "Rotation", { rotationHours: rotateAfterHours });
    const rotation = pin(this.rotation, name);
    const madeAt = this.rotation.rfc3339;
    const characters = { upper: false, special: false, keepers: { rotation: madeAt } };
    // Not a password: the id is in the Secret's name and in the user's, so a plan may show it.
    this.tokenId = new StringResource(this, "Id", { length: 6, ...characters });
    this.id = { address: pin(this.tokenId, name), attribute: "result" };
    this.tokenSecret = new Password(this, "Secret", { length: 16, ...characters });
    const secret = { address: pin(this.tokenSecret, name), attribute: "result" };
    this.token = { concat: [this.id, ".", secret] };
    this.resource = new SecretV1(this, "Resource", {
      metadata: { name: `bootstrap-token-${expression(this.id)}`, namespace: TOKEN_NAMESPACE, ...metadata(props) },
      type: "bootstrap.kubernetes.io/token",
      data: {
        "token-id": expression(this.id),
        "token-secret": expression(secret),
        expiration: Fn.timeadd(madeAt, `${expireAfterHours}h`),
        ...used,
        ...(this.groups.length > 0 ? { "auth-extra-groups": this.groups.join(",") } : {}),
        description: props.description ?? description,
      },
      lifecycle: { createBeforeDestroy: true },
      ...metaArguments(props),
    });
    const secretAddress = pin(this.resource, name);
    const addresses = [rotation, this.id.address, secret.address, secretAddress].sort();
    const life = { rotateAfterHours, expireAfterHours };
    const uses = Object.keys(used).map((usage) => usage.replace(/^usage-/, ""));
    const entry = { kind: "token", name, addresses, groups: this.groups, usages: uses.sort(), ...life } as const;
    inventoried(this, { entries: () => [entry] });
  }
}

/** Undefined where nothing joins with such a token. */
export function rowOf({ joins }: BootstrapTokenOptions, rows: AccessRow["tokens"]): TokenRow | undefined {
  return Object.entries(rows).find(([kind]) => joins === undefined || joins === kind)?.[1];
}

/** Where tokens stand: the API server looks for them nowhere else. */
export const TOKEN_NAMESPACE = "kube-system";

/** Beyond it a duration of Go, and with it Terraform's `timeadd`, overflows. */
const MAX_HOURS = 2_562_047;

/** The key of a token's Secret by which the API server lets its user in. */
const AUTHENTICATION = "usage-bootstrap-authentication";

/** `BootstrapGroupPattern` of k8s.io/cluster-bootstrap. */
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Finds everything that is wrong with a token before it is made. */
export function checkBootstrapToken(
  options: BootstrapTokenOptions,
  rows: AccessRow["tokens"],
  problems: Problems,
  at = "",
): void {
  const row = rowOf(options, rows);
  if (!row) {
    const kinds = Object.keys(rows).join(", ");
    const [allowed, fix] = kinds
      ? [kinds, didYouMean(options.joins ?? "", Object.keys(rows)) ?? "use one of these names"]
      : ["none: nothing joins this distribution with a bootstrap token", "make no token"];
    problems.add({ code: "token-joins", at: `${at}joins`, given: options.joins ?? "nothing", allowed, fix });
  } else if (options.groups?.length && !row.usages.includes(AUTHENTICATION)) {
    const allowed = "none: the API server lets nobody in with such a token";
    problems.add({
      code: "token-groups",
      at: `${at}groups`,
      given: options.groups.join(", "),
      allowed,
      fix: "leave groups out",
    });
  }
  const lifetime = lifetimeOf(options);
  const broken = Object.entries(lifetime).filter(
    ([, hours]) => !Number.isInteger(hours) || hours < 1 || hours > MAX_HOURS,
  );
  for (const [prop, hours] of broken) {
    problems.add({
      code: "token-hours",
      at: `${at}${prop}`,
      given: hours,
      allowed: `a whole number of hours, from 1 to ${MAX_HOURS}`,
      fix: "write it in the code",
    });
  }
  const { rotateAfterHours, expireAfterHours, pipelineIntervalHours } = lifetime;
  const least = rotateAfterHours + 2 * pipelineIntervalHours;
  if (broken.length === 0 && expireAfterHours < least) {
    problems.add({
      code: "token-expiry",
      at: `${at}expireAfterHours`,
      given: `${expireAfterHours} hours`,
      allowed: `at least rotateAfterHours + 2 * pipelineIntervalHours = ${rotateAfterHours} + 2 * ${pipelineIntervalHours} = ${least} hours`,
      fix: "let it live longer, rotate it earlier, or state the interval of a pipeline that runs more often",
    });
  }
  if (options.groups?.length === 0) {
    const fix = "name one, or leave groups out for the distribution's";
    problems.add({
      code: "token-groups",
      at: `${at}groups`,
      given: "none",
      allowed: "at least one group, or the token could do nothing",
      fix,
    });
  }
  checkGroups(options.groups ?? [], `${at}groups`, problems);
}

/** Finds groups that no bootstrap token may have. */
export function checkGroups(groups: readonly string[], at: string, problems: Problems): void {
  groups.forEach((group, index) => {
    if (!GROUP.test(group)) {
      const allowed = "system:bootstrappers: and then lower-case letters, digits, ':' and '-', the last one no sign";
      problems.add({
        code: "token-group",
        at: `${at}[${index}]`,
        given: group,
        allowed,
        fix: "put system:bootstrappers: before the name of your group",
      });
    }
  });
}

function lifetimeOf(options: BootstrapTokenOptions) {
  const { rotateAfterHours = 24, pipelineIntervalHours = 24 } = options;
  const { expireAfterHours = rotateAfterHours + 2 * pipelineIntervalHours } = options;
  return { rotateAfterHours, expireAfterHours, pipelineIntervalHours };
}
