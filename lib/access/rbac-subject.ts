import { Token } from "cdktf";
import { Problems } from "../errors";
import {
  checkPlainText,
  checkShape,
  fields,
  Fields,
  list,
  made,
  name,
  oneOf,
  type Shape,
  text,
} from "../terraform/shape";
import { SYSTEM_MASTERS } from "../x509/system-masters";

/** A subject as a binding names it. */
export interface RbacSubject {
  /** What it is, as RBAC names it. */
  readonly kind: "User" | "Group" | "ServiceAccount";
  /** Its name; a service account's is unique in its namespace alone. */
  readonly name: string;
  /** Empty for users and groups, which are not namespaced: if it were left out, the provider would write `default`. */
  readonly namespace: string;
  /** Empty for service accounts, which are of the core group. */
  readonly apiGroup: string;
}

/** A user, group or service account that a role can be bound to. */
export interface IRbacSubject {
  /** The subject as a binding names it. */
  toSubject(): RbacSubject;
}

const TEXT = text('"platform-engineers"');

const RBAC_SUBJECT = fields({
  kind: oneOf(["User", "Group", "ServiceAccount"] satisfies RbacSubject["kind"][]),
  name: TEXT,
  namespace: TEXT,
  apiGroup: name("rbac.authorization.k8s.io"),
} satisfies Fields<RbacSubject>);

const SUBJECT = made(
  "a User, a Group or a ServiceAccountRef",
  'Group.named("platform-engineers")',
  (value) => "toSubject" in value && typeof value.toSubject === "function",
);

/** Whom a role is bound to, where that is expected. */
export const SUBJECTS: Shape = list({
  ...SUBJECT,
  find(value, at, problems) {
    const found = new Problems();
    SUBJECT.find(value, at, found);
    if (found.none) {
      RBAC_SUBJECT.find((value as IRbacSubject).toSubject(), at, found);
    }
    problems.addAll(found);
  },
});

/** API group of users, groups and roles. */
export const RBAC_API_GROUP = "rbac.authorization.k8s.io";

/**
 * A user: the CN of a client certificate, or the user name of a token.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
 */
export class User implements IRbacSubject {
  /** The user of that name, e.g. `kube-apiserver-kubelet-client`. */
  public static named(name: string): User {
    checkShape("User.named", name, TEXT, "name");
    return new User(name);
  }

  private constructor(
    /** The user's name. */
    public readonly name: string,
  ) {}

  public toSubject(): RbacSubject {
    return { kind: "User", name: this.name, namespace: "", apiGroup: RBAC_API_GROUP };
  }
}

/**
 * A group: the O of a client certificate, or a group of a token.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
 */
export class Group implements IRbacSubject {
  /** The group of that name, e.g. `platform-engineers`. */
  public static named(name: string): Group {
    checkShape("Group.named", name, TEXT, "name");
    return new Group(name);
  }

  private constructor(
    /** The group's name. */
    public readonly name: string,
  ) {}

  public toSubject(): RbacSubject {
    return { kind: "Group", name: this.name, namespace: "", apiGroup: RBAC_API_GROUP };
  }
}

/**
 * A service account that something else creates.
 *
 * @see https://kubernetes.io/docs/concepts/security/service-accounts/
 */
export class ServiceAccountRef implements IRbacSubject {
  /** The service account of that name in that namespace. */
  public static named(namespace: string, name: string): ServiceAccountRef {
    checkShape("ServiceAccountRef.named", namespace, TEXT, "namespace");
    checkShape("ServiceAccountRef.named", name, TEXT, "name");
    return new ServiceAccountRef(namespace, name);
  }

  private constructor(
    /** Its namespace. */
    public readonly namespace: string,
    /** Its name in there. */
    public readonly name: string,
  ) {}

  public toSubject(): RbacSubject {
    return { kind: "ServiceAccount", name: this.name, namespace: this.namespace, apiGroup: "" };
  }
}

/** `Group/system:nodes`, `ServiceAccount/ns/name`. */
export function subjectText({ kind, namespace, name }: RbacSubject): string {
  return [kind, namespace, name].filter(Boolean).join("/");
}

/** The ClusterRole that may do everything. */
export const CLUSTER_ADMIN = "cluster-admin";

/** Subjects that hold far more than the people meant: everybody, every pod, every node, everyone with a token to join. */
const BROAD = /^system:(anonymous|authenticated|unauthenticated|serviceaccounts(:.*)?|nodes|bootstrappers(:.*)?)$/;

/** Finds subjects that no binding, or no binding to this ClusterRole, may have. */
export function checkSubjects(
  subjects: readonly IRbacSubject[],
  clusterRole: string,
  at: string,
  problems: Problems,
): void {
  subjects.forEach((subject, index) => {
    const { kind, name, namespace } = subject.toSubject();
    const here = `${at}[${index}]`;
    if (Token.isUnresolved(name) || Token.isUnresolved(namespace)) {
      problems.add({
        code: "unresolved",
        at: here,
        given: "an unresolved value",
        allowed: "a name that is known at synth",
        fix: "write it in the code",
      });
    } else if (name === "" || (kind === "ServiceAccount" && namespace === "")) {
      const allowed = kind === "ServiceAccount" ? "a namespace and a name" : "a name";
      problems.add({ code: "subject-name", at: here, given: `${kind} without one`, allowed, fix: "name it" });
    } else if (/^\s|\s$/.test(name) || /^\s|\s$/.test(namespace)) {
      const allowed = "a name without blanks at its beginning and end";
      problems.add({
        code: "subject-name",
        at: here,
        given: name,
        allowed,
        fix: `did you mean ${JSON.stringify(name.trim())}?`,
      });
    } else if (name === SYSTEM_MASTERS) {
      const fix = "bind a group of your own: system:masters needs no binding, and nothing can revoke or limit it";
      problems.add({ code: "system-masters", at: here, given: name, allowed: "a subject that RBAC can limit", fix });
    } else if (clusterRole === CLUSTER_ADMIN && BROAD.test(name)) {
      const fix = "bind a group that only administrators are in";
      problems.add({
        code: "broad-cluster-admin",
        at: here,
        given: name,
        allowed: "for cluster-admin, a subject that holds few",
        fix,
      });
    } else {
      checkPlainText(name, here, problems);
      checkPlainText(namespace, here, problems);
    }
  });
}
