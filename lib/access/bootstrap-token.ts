import { inventoried } from "../terraform/inventoried";
import { Annotations, Fn, Token } from "cdktf";
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
  type Shape,
  text,
} from "../terraform/shape";
import { KubernetesObjectProps, metaArguments, metadata, OBJECT_FIELDS } from "./kubernetes-object";
import { expression, Reference } from "../terraform/reference";
import { type Condition, condition } from "../terraform/condition";
import { quoted } from "../terraform/expression";
import { secondTokenName } from "../terraform/names";
import { pin } from "../terraform/pin";
import { AccessRow, TokenRow } from "../kubernetes/table";
import type { Content, DatedContent } from "../kubernetes/content";
import { Distribution, DISTRIBUTION } from "../kubernetes/distribution";
import {
  checkLife,
  EXPIRES,
  lifeOf,
  minutesOfSlot,
  NEVER,
  type RotatedLife,
  type TokenLifeOptions,
} from "./token-life";

/** A bootstrap token that was made elsewhere. */
export interface BootstrapTokenParts {
  /** The token id, `[a-z0-9]{6}`, which is public: it may be a variable, which is best not sensitive then. */
  readonly id: string;
  /** The token secret, `[a-z0-9]{16}`, as what only Terraform knows: a sensitive variable, an attribute. Not in the code. */
  readonly secret: string;
}

/** What may be chosen for a bootstrap token. */
export interface BootstrapTokenOptions extends TokenLifeOptions {
  /**
   * A token that was made elsewhere. Who made it rotates it, so that it needs `expires`.
   * @default - it is made here
   */
  readonly token?: BootstrapTokenParts;
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
   * @default - false; of a {@link ClusterAccess} that publishes that ConfigMap, true
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

const TEXT = text("secret.stringValue");

/** A secret that is all digits is a number in YAML: what is no text is not shown either. */
const SECRET: Shape = {
  ...TEXT,
  find(value, at, problems) {
    const isShown = typeof value !== "number" && typeof value !== "bigint";
    TEXT.find(isShown || Token.isUnresolved(value) ? value : {}, at, problems);
  },
};

const OPTIONS = {
  token: optional(fields({ id: text('"abcdef"'), secret: SECRET } satisfies Fields<BootstrapTokenParts>)),
  rotateAfterHours: optional(number(24)),
  expireAfterHours: optional(number(72)),
  pipelineIntervalHours: optional(number(24)),
  staggered: optional(flag),
  expires: optional(EXPIRES),
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

/** The resources of one token. */
export interface BootstrapTokenSlot {
  /** The token id, which is public, as a reference to the state. Its user is `system:bootstrap:<id>`. */
  readonly id: Reference;
  /** The L1 that says when token id and token secret are replaced; undefined where `expires` says when it ends. */
  readonly rotation?: Rotating;
  /** The L1 of the token id; undefined where it was made elsewhere. */
  readonly tokenId?: StringResource;
  /** The L1 of the token secret; undefined where it was made elsewhere. */
  readonly tokenSecret?: Password;
  /** The L1 of the Secret. */
  readonly resource: SecretV1;
}

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
 * `staggered` keeps two tokens. Every `rotateAfterHours` (R) one of them is replaced, in turn, and files name that one: the other joins
 * until its own turn comes. Each is due 2 × R after it was made, less half a pipeline's interval (P / 2), so that a run that comes a little
 * early finds it due. With R a multiple of P, whoever read a token just before the next one came may join with it for R hours more, and
 * for R - P where the run that should have made the next one failed: by default 48, and 48 - 24 = 24. For that a token lives 2 × R, and R
 * is at least 2 × P: a run that comes P late still finds one of the two due, and not both. Where both are made at once, by the first apply
 * or after a longer standstill, the second lives R longer: its base is the first one's, and R. It takes that when it is made, and does not
 * look at it from then on: so the two stay R apart, and neither is touched when the other is replaced.
 *
 * With `expires` it is not rotated. An apply after its end deletes what the token cleaner has left. One that was made elsewhere is kept in
 * the Secret alone, and Terraform stops where its parts do not look like those of a token.
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
  /** The whole token, `<token id>.<token secret>`, as data; of two that are replaced in turn, the one that was made later. */
  public readonly token: Content;
  /** Its resources; those of both where two are replaced in turn. */
  public readonly slots: readonly [BootstrapTokenSlot] | readonly [BootstrapTokenSlot, BootstrapTokenSlot];

  public constructor(scope: Construct, id: string, props: BootstrapTokenProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { tokens } = props.distribution.table.access;
    const problems = new Problems();
    checkBootstrapToken(props, tokens, problems);
    problems.throwIfAny(this.node.path);

    const name = props.address ?? id;
    this.row = rowOf(props, tokens)!;
    const { usages, group, description = name } = this.row;
    this.groups = [...(props.groups ?? (group === undefined ? [] : [group]))];
    const used = [...usages, ...(props.signing ? [SIGNING] : [])];
    const life = lifeOf(props);
    const data = {
      ...Object.fromEntries(used.map((usage) => [usage, "true"])),
      ...(this.groups.length > 0 ? { "auth-extra-groups": this.groups.join(",") } : {}),
      description: props.description ?? description,
    };
    const make = (within: Construct, address: string, first?: Rotating) => {
      const isStaggered = props.staggered === true;
      const made = slot(within, address, { life, isStaggered, first, given: props.token, data, object: props });
      const uses = used.map((usage) => usage.replace(/^usage-/, "")).sort();
      const entry = {
        kind: "token",
        name: address,
        addresses: made.addresses,
        groups: this.groups,
        usages: uses,
      } as const;
      inventoried(within, { entries: () => [{ ...entry, ...publicLife(life) }] });
      return made;
    };
    const first = make(this, name);
    const second = props.staggered
      ? make(new Construct(this, "Second"), secondTokenName(name), first.rotation)
      : undefined;
    this.slots = second ? [first, second] : [first];
    this.token = second ? { later: [dated(first), dated(second)] } : wholeToken(first);
    if ("expires" in life && life.expires === NEVER) {
      Annotations.of(this).addWarning(
        "the token never expires: whoever has seen it may join until it is taken out of the code",
      );
    }
  }

  /** The token id, which is public, as a reference to the state. Its user is `system:bootstrap:<id>`. Of two tokens, that of the first. */
  public get id(): Reference {
    return this.slots[0].id;
  }

  /** The L1 that says when token id and token secret are replaced, of the first of two; undefined where `expires` says when it ends. */
  public get rotation(): Rotating | undefined {
    return this.slots[0].rotation;
  }

  /** The L1 of the token id, of the first of two; undefined where it was made elsewhere. */
  public get tokenId(): StringResource | undefined {
    return this.slots[0].tokenId;
  }

  /** The L1 of the token secret, of the first of two; undefined where it was made elsewhere. */
  public get tokenSecret(): Password | undefined {
    return this.slots[0].tokenSecret;
  }

  /** The L1 of the Secret, of the first of two. */
  public get resource(): SecretV1 {
    return this.slots[0].resource;
  }
}

/** One token, and where it is in the state. */
interface MadeSlot extends BootstrapTokenSlot {
  readonly secret: Reference;
  readonly addresses: readonly string[];
}

interface SlotProps {
  readonly life: ReturnType<typeof lifeOf>;
  readonly isStaggered: boolean;
  /** The rotation of the other token, of which this one stands apart. */
  readonly first?: Rotating;
  /** The token, where it was made elsewhere. */
  readonly given?: BootstrapTokenParts;
  /** What the Secret says beside the token and its end. */
  readonly data: Readonly<Record<string, string>>;
  readonly object: KubernetesObjectProps;
}

function slot(scope: Construct, name: string, props: SlotProps): MadeSlot {
  const { life, data, object, given } = props;
  const { parts, rotation, addresses, ...made } = given
    ? { parts: given, addresses: [] }
    : generated(scope, name, props);
  const { id, secret } = parts;
  const resource = new SecretV1(scope, "Resource", {
    metadata: { name: `bootstrap-token-${id}`, namespace: TOKEN_NAMESPACE, ...metadata(object) },
    type: "bootstrap.kubernetes.io/token",
    data: { "token-id": id, "token-secret": secret, ...expiration(life, rotation), ...data },
    lifecycle: { createBeforeDestroy: true, ...(given ? { precondition: partConditions(given) } : {}) },
    ...metaArguments(object),
  });
  const pinned = pin(resource, name);
  const ends = "expires" in life && life.expires !== NEVER;
  if (ends) {
    // Else it would be made again as often as the token cleaner deletes it.
    resource.addOverride("count", `\${timecmp(plantimestamp(), "${life.expires}") < 0 ? 1 : 0}`);
  }
  const address = ends ? `${pinned}[0]` : pinned;
  const kept = { id: { address, attribute: "data.token-id" }, secret: { address, attribute: "data.token-secret" } };
  return { ...kept, rotation, ...made, resource, addresses: [...addresses, address].sort() };
}

function generated(scope: Construct, name: string, { life, isStaggered, first }: SlotProps) {
  const rotation = "expires" in life ? undefined : rotating(scope, life, isStaggered, first);
  const rotationAddress = rotation && pin(rotation, name);
  const keepers: Record<string, string> =
    "expires" in life ? { expires: life.expires } : { rotation: rotation!.rfc3339 };
  const characters = { upper: false, special: false, keepers };
  // Not a password: the id is in the Secret's name and in the user's, so a plan may show it.
  const tokenId = new StringResource(scope, "Id", { length: 6, ...characters });
  const id = { address: pin(tokenId, name), attribute: "result" };
  const tokenSecret = new Password(scope, "Secret", { length: 16, ...characters });
  const secret = { address: pin(tokenSecret, name), attribute: "result" };
  const addresses = [id.address, secret.address, ...(rotationAddress ? [rotationAddress] : [])];
  return {
    rotation,
    tokenId,
    tokenSecret,
    id,
    secret,
    parts: { id: expression(id), secret: expression(secret) },
    addresses,
  };
}

/** What a token is made of, by `ValidBootstrapTokenRegex` of k8s.io/cluster-bootstrap. */
const PARTS = {
  id: { pattern: "^[a-z0-9]{6}$", allowed: "six lower-case letters and digits" },
  secret: { pattern: "^[a-z0-9]{16}$", allowed: "sixteen lower-case letters and digits" },
} as const;

const PART_FIX = "give the parts of a token as `kubeadm token generate` prints them, before and after its dot";

/** What was unresolved at synth is looked at by Terraform. It says nothing of what it saw. */
function partConditions({ id, secret }: BootstrapTokenParts): Condition[] {
  const looksLike = (text: string, { pattern }: { readonly pattern: string }) =>
    `can(regex("${pattern}", ${quoted(text)}))`;
  const ofId = { code: "token-id", at: "token.id", allowed: PARTS.id.allowed, fix: PART_FIX };
  const ofSecret = { code: "token-secret", at: "token.secret", allowed: PARTS.secret.allowed, fix: PART_FIX };
  return [
    ...(Token.isUnresolved(id) ? [condition(looksLike(id, PARTS.id), ofId)] : []),
    ...(Token.isUnresolved(secret) ? [condition(looksLike(secret, PARTS.secret), ofSecret)] : []),
  ];
}

function rotating(scope: Construct, life: RotatedLife, isStaggered: boolean, first: Rotating | undefined): Rotating {
  const { rotateAfterHours } = life;
  return new Rotating(scope, "Rotation", {
    ...(isStaggered ? { rotationMinutes: minutesOfSlot(life) } : { rotationHours: rotateAfterHours }),
    ...(first
      ? { rfc3339: Fn.timeadd(first.rfc3339, `${rotateAfterHours}h`), lifecycle: { ignoreChanges: ["rfc3339"] } }
      : {}),
  });
}

/** The Secret's key that says when it ends; none where it never does. */
function expiration(life: ReturnType<typeof lifeOf>, rotation: Rotating | undefined): { readonly expiration?: string } {
  if (!("expires" in life)) {
    return { expiration: Fn.timeadd(rotation!.rfc3339, `${life.expireAfterHours}h`) };
  }
  return life.expires === NEVER ? {} : { expiration: life.expires };
}

/** What the inventory says of a life. */
function publicLife(life: ReturnType<typeof lifeOf>) {
  if ("expires" in life) {
    return { expires: life.expires };
  }
  const { rotateAfterHours, expireAfterHours } = life;
  return { rotateAfterHours, expireAfterHours };
}

function wholeToken({ id, secret }: MadeSlot): Content {
  return { concat: [id, ".", secret] };
}

function dated(made: MadeSlot): DatedContent {
  const address = made.addresses.find((one) => one.startsWith("time_rotating."))!;
  return { madeAt: { address, attribute: "rfc3339" }, content: wholeToken(made) };
}

/** Undefined where nothing joins with such a token. */
export function rowOf({ joins }: BootstrapTokenOptions, rows: AccessRow["tokens"]): TokenRow | undefined {
  return Object.entries(rows).find(([kind]) => joins === undefined || joins === kind)?.[1];
}

/** Where tokens stand: the API server looks for them nowhere else. */
export const TOKEN_NAMESPACE = "kube-system";

/** The key of a token's Secret by which the API server lets its user in. */
const AUTHENTICATION = "usage-bootstrap-authentication";

/** The key by which the bootstrap signer signs with the token. */
const SIGNING = "usage-bootstrap-signing";

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
  checkLife(options, problems, at);
  checkParts(options, problems, at);
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

function checkParts({ token, expires }: BootstrapTokenOptions, problems: Problems, at: string): void {
  if (token === undefined) {
    return;
  }
  if (expires === undefined) {
    const allowed = "never, or a time: nobody here rotates a token that was made elsewhere";
    problems.add({ code: "token-life", at: `${at}expires`, given: "nothing", allowed, fix: "say when it ends" });
  }
  if (!Token.isUnresolved(token.id) && !new RegExp(PARTS.id.pattern).test(token.id)) {
    const { allowed } = PARTS.id;
    problems.add({ code: "token-id", at: `${at}token.id`, given: token.id, allowed, fix: PART_FIX });
  }
  if (!Token.isUnresolved(token.secret)) {
    problems.add({
      code: "token-secret",
      at: `${at}token.secret`,
      given: "text that stands in the code",
      allowed: "what only Terraform knows: a sensitive variable, or an attribute of a resource",
      fix: "make another token, since whoever reads the code knows this one, and give it as a variable",
    });
  }
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
