import { ITerraformDependable, TerraformProvider, Token } from "cdktf";
import { Problems } from "../errors";
import { checkPlainText, Fields, list, made, optional, provider, record, text } from "../terraform/shape";
import { RFC_1123_LABEL, RFC_1123_SUBDOMAIN } from "../x509/host";

/** Props of every construct that makes objects in the API server. */
export interface KubernetesObjectProps {
  /**
   * The kubernetes provider for the API server that the objects go to.
   * @default - the stack's kubernetes provider
   */
  readonly provider?: TerraformProvider;
  /**
   * Terraform elements that are applied before. Give them here: cdktf ignores `node.addDependency`.
   * @default - none
   */
  readonly dependsOn?: readonly ITerraformDependable[];
  /**
   * Labels of each object.
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Annotations of each object.
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a label's name and its value are made of. */
const LABEL = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const LABEL_VALUE = {
  ...text('"platform"'),
  find(value: unknown, at: string, problems: Problems) {
    text('"platform"').find(value, at, problems);
    if (typeof value === "string" && value !== "" && !Token.isUnresolved(value) && !LABEL.test(value)) {
      const allowed = "at most 63 letters, digits, '-', '_' and '.', the first and the last no sign";
      problems.add({ code: "label-value", at, given: value, allowed, fix: "put longer text into annotations" });
    }
  },
};

const ANNOTATION_VALUE = {
  ...text('"text"'),
  find(value: unknown, at: string, problems: Problems) {
    text('"text"').find(value, at, problems);
    if (typeof value === "string") {
      checkPlainText(value, at, problems, true);
    }
  },
};

/** Labels and annotations have names of one kind. */
function checkLabelKey(key: string, at: string, problems: Problems): void {
  const [, prefix, name] = /^(?:([^/]*)\/)?([^/]*)$/.exec(key) ?? [];
  if (name === undefined || !LABEL.test(name) || !(prefix === undefined || RFC_1123_SUBDOMAIN.test(prefix))) {
    const allowed =
      "a name of at most 63 letters, digits, '-', '_' and '.', and before it a DNS subdomain and '/' if you like";
    problems.add({ code: "label-key", at, given: key, allowed, fix: "write it as example.com/name" });
  }
}

const DEPENDABLE = made("a Terraform element", "the construct of the element", (value) => "fqn" in value);

/** The props of every object, as they have to look. */
export const OBJECT_FIELDS = {
  provider: optional(provider),
  dependsOn: optional(list(DEPENDABLE)),
  labels: optional(record("team", LABEL_VALUE, checkLabelKey)),
  annotations: optional(record("example.com/owner", ANNOTATION_VALUE, checkLabelKey)),
} satisfies Fields<KubernetesObjectProps>;

/** Finds a namespace that the API server would refuse. */
export function checkNamespace(namespace: string, problems: Problems): void {
  if (!Token.isUnresolved(namespace) && !RFC_1123_LABEL.test(namespace)) {
    const allowed = "an RFC 1123 label in lower case, at most 63 bytes";
    problems.add({
      code: "namespace",
      at: "namespace",
      given: namespace,
      allowed,
      fix: "use the namespace's own name",
    });
  }
}

/** The props that are passed on from a construct to those in it. */
export function objectProps({
  provider,
  dependsOn,
  labels,
  annotations,
}: KubernetesObjectProps): KubernetesObjectProps {
  return { provider, dependsOn, labels, annotations };
}

/** The props that are Terraform's, not the object's. */
export function metaArguments({ provider, dependsOn }: KubernetesObjectProps) {
  return { provider, dependsOn: dependsOn && [...dependsOn] };
}

/** The props that are part of the object's metadata. */
export function metadata({ labels, annotations }: KubernetesObjectProps) {
  return { labels: labels && byKey(labels), annotations: annotations && byKey(annotations) };
}

function byKey(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
