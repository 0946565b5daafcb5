import { inventoried } from "../terraform/inventoried";
import type { Reference } from "../terraform/reference";
import { didYouMean } from "../terraform/closest";
import { constructId } from "../terraform/construct-id";
import { tokenName } from "../terraform/names";
import { checkShape, fields, Fields, flag, instanceOf, name as nameShape, optional } from "../terraform/shape";
import { TerraformStack } from "cdktf";
import { Password } from "@cdktf/provider-random/lib/password";
import { Construct } from "constructs";
import { Problems } from "../errors";
import { configurationFiles } from "../kubernetes/cluster-files";
import { concat, Content, content } from "../kubernetes/content";
import { holds, holdersOf } from "../kubernetes/holders";
import { checkSecureToken, joinWith, rootOf } from "../kubernetes/join";
import { movedFrom } from "../terraform/moves";
import { pin } from "../terraform/pin";
import { ClusterPki } from "../kubernetes/cluster-pki";
import type { Distribution, NamesOf } from "../kubernetes/distribution";
import { JoinPasswordFileRow, JoinPasswordRow } from "../kubernetes/table";
import { ClusterFile, OWNER, SECRET_MODE } from "../kubernetes/cluster-file";
import { refuseName } from "../kubernetes/checks/unknown-names";
import { publishFiles } from "../kubernetes/outputs";

/** Props of a {@link JoinPassword}. */
export interface JoinPasswordProps<Of extends Distribution = Distribution> {
  /** The PKI of the cluster that is joined. It is in the same stack, since the first server starts with both. */
  readonly pki: ClusterPki<Of>;
  /**
   * What joins with it, by the distribution's names: `server` and `agent` for K3s and RKE2.
   * @default - the construct's id
   */
  readonly joins?: NamesOf<Of>["joinPassword"];
  /**
   * Makes Terraform refuse every plan that would destroy the password. K3s encrypts the authorities' keys in its datastore with that
   * of servers, and accepts another one only through `token rotate`.
   * @default true
   */
  readonly deletionProtection?: boolean;
}

const PROPS = fields({
  pki: instanceOf(ClusterPki, "the ClusterPki"),
  joins: optional(nameShape("server")),
  deletionProtection: optional(flag),
} satisfies Fields<JoinPasswordProps>);

/**
 * A password with which machines join before there is anything in the API server: the token of K3s and RKE2. In the form of a secure
 * token, it also lets the machine verify which cluster it joins.
 *
 * It is made once and kept. The token also holds a hash of the API server's authority, which changes with a generation that is
 * self-signed: deliver it again then, for machines that join later. `kubernetes-pki export` writes its files with those of the PKI.
 *
 * In the Terraform state: the password, and its bcrypt hash. In its outputs: none. `<prefix>__token__<joins>_files` says what the
 * files are made of.
 *
 * @throws PkiError when nothing joins the distribution so, the PKI is in another stack, or Terraform could not make the hash: it
 * cannot hash the DER of a root that it generates
 * @see https://docs.k3s.io/cli/token
 */
export class JoinPassword<Of extends Distribution = Distribution> extends Construct {
  /** The password alone, as data. */
  public readonly password: Reference;
  /** The password in the form in which machines join with it, as data. */
  public readonly token: Content;
  /** The L1 of the password. */
  public readonly resource: Password;

  private readonly fileLists: ReadonlyMap<string, readonly ClusterFile[]>;

  public constructor(scope: Construct, id: string, props: JoinPasswordProps<Of>) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { pki, joins = id, deletionProtection } = props;
    const { table, cluster, authorities } = pki.parts;
    const authority = authorities.get(table.apiServerAuthority)!;
    const problems = new Problems();
    const row = Object.entries(table.joinPasswords ?? {}).find(([kind]) => kind === joins)?.[1];
    this.check(row, joins, pki, problems);
    problems.throwIfAny(this.node.path);

    const { user, format, files, configuration = [] } = row!;
    const address = tokenName(pki.addressPrefix, joins);
    this.resource = new Password(this, "Resource", {
      length: 32,
      special: false,
      lifecycle: { preventDestroy: deletionProtection ?? true },
    });
    this.password = { address: pin(this.resource, address), attribute: "result" };
    this.token = joinWith(format, {
      cluster,
      certificateAuthority: concat(authority.bundle.references),
      root: rootOf(authority.bundle),
      token: content`${user}:${this.password}`,
    });
    const lists = holdersOf(cluster).map((holder): [string, ClusterFile[]] => [
      holder.name,
      [
        ...files.filter(({ on }) => holds(holder, on)).map((file) => this.file(file)),
        ...configurationFiles(configuration, holder, cluster, this),
      ],
    ]);
    this.fileLists = new Map(lists);
    publishFiles(this, address, Object.fromEntries(lists.filter(([, held]) => held.length > 0)));
    // Under another prefix it stays the same: K3s encrypts the keys of authorities in its datastore with it.
    if (pki.movedFrom !== undefined) {
      movedFrom(this, pki.movedFrom, pki.addressPrefix);
    }
    const entry = { kind: "token", name: address, addresses: [this.password.address], groups: [] } as const;
    inventoried(this, { entries: () => [entry] });
  }

  /**
   * The files of a machine, or of any `worker`; none where the machine does not need the password.
   *
   * @throws PkiError when there is no such machine
   */
  public files(machine: string): readonly ClusterFile[] {
    return this.fileLists.get(machine) ?? refuseName(this.node.path, "holder", machine, [...this.fileLists.keys()]);
  }

  private file({ path, format, consumers }: JoinPasswordFileRow): ClusterFile {
    const text = format === "password" ? this.password : this.token;
    return { path, kind: "join token", mode: SECRET_MODE, owner: OWNER, content: text, consumers };
  }

  private check(row: JoinPasswordRow | undefined, joins: string, pki: ClusterPki, problems: Problems): void {
    const { table, authorities } = pki.parts;
    if (!row) {
      const known = Object.keys(table.joinPasswords ?? {});
      const allowed = known.join(", ") || `none: nothing joins ${table.name} with a password`;
      problems.add({
        code: "password-joins",
        at: "joins",
        given: joins,
        allowed,
        fix: known.length > 0 ? (didYouMean(joins, known) ?? "use one of these names") : "make no password",
      });
    } else if (row.format === "secure token") {
      checkSecureToken(authorities.get(table.apiServerAuthority)!.bundle, "pki", problems);
    }
    if (TerraformStack.of(this) !== TerraformStack.of(pki)) {
      const fix = "make it in the PKI's stack: the first server starts with it";
      problems.add({
        code: "password-stack",
        at: "pki",
        given: pki.node.path,
        allowed: "a PKI of the same stack",
        fix,
      });
    }
  }
}
