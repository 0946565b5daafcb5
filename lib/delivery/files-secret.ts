import { inventoried } from "../terraform/inventoried";
import { secretFiles } from "./secret-files";
import { SecretV1 } from "@cdktf/provider-kubernetes/lib/secret-v1";
import { Construct } from "constructs";
import { constructId } from "../terraform/construct-id";
import { checkShape, fields, Fields, name as nameShape, optional, text } from "../terraform/shape";
import {
  checkNamespace,
  metaArguments,
  metadata,
  KubernetesObjectProps,
  OBJECT_FIELDS,
} from "../access/kubernetes-object";
import { Problems } from "../errors";
import { checkSecretName } from "./secret-checks";
import { pin } from "../terraform/pin";
import { Content } from "../kubernetes/content";
import { ClusterFile } from "../kubernetes/cluster-file";
import { toTerraform } from "../kubernetes/content-readers";
import { referencesElsewhere } from "../kubernetes/own-state";
import { filesWith } from "./file-shapes";

/** Props of a {@link FilesSecret}. */
export interface FilesSecretProps extends KubernetesObjectProps {
  /** Name of the Secret. */
  readonly name: string;
  /** Its namespace, which exists. */
  readonly namespace: string;
  /** The files in it: `pki.files("cp-1")`, or some of these. */
  readonly files: readonly Pick<ClusterFile, "path" | "content">[];
  /**
   * Terraform name of the Secret.
   * @default - the construct's id
   */
  readonly address?: string;
}

const PROPS = fields({
  ...OBJECT_FIELDS,
  name: text('"cp-1-files"'),
  namespace: text('"kube-system"'),
  files: filesWith("path", "content"),
  address: optional(nameShape("cp-1-files")),
} satisfies Fields<FilesSecretProps>);

/**
 * A Secret of files, for what runs inside a cluster: an etcd backup, a monitoring of components, a control plane in pods.
 *
 * The key of a file is its path, as kubeadm writes it in its own Secrets: without the first `/`, and with `-` for each other one. Mode and
 * owner are set where the Secret is mounted. A Secret holds 1 MiB at most.
 *
 * In the Terraform state: every file, in clear, beside the keys it is made of. It must be in the stack that owns these.
 *
 * @throws PkiError when a path cannot be turned into a key, two are turned into the same, or a name is not valid
 * @see https://kubernetes.io/docs/concepts/configuration/secret/
 */
export class FilesSecret extends Construct {
  /** Name of the Secret. */
  public readonly name: string;
  /** Its namespace. */
  public readonly namespace: string;
  /** The key of each file, by its path. */
  public readonly keys: Readonly<Record<string, string>>;
  /** The content under each key, as data. */
  public readonly data: Readonly<Record<string, Content>>;
  /** The L1 of the Secret. */
  public readonly resource: SecretV1;

  public constructor(scope: Construct, id: string, props: FilesSecretProps) {
    super(scope, constructId(scope, id));
    checkShape(this, props, PROPS);
    const { name, namespace, files } = props;
    const problems = new Problems();
    checkSecretName(name, problems);
    checkNamespace(namespace, problems);
    checkKeys(files, problems);
    problems.throwIfAny(this.node.path);

    this.name = name;
    this.namespace = namespace;
    this.keys = Object.fromEntries(files.map(({ path }) => [path, keyOf(path)]));
    this.data = Object.fromEntries(files.map(({ path, content }) => [keyOf(path), content]));
    this.resource = new SecretV1(this, "Resource", {
      metadata: { name, namespace, ...metadata(props) },
      type: "Opaque",
      data: Object.fromEntries(Object.entries(this.data).map(([key, content]) => [key, toTerraform(content)])),
      ...metaArguments(props),
    });
    pin(this.resource, props.address ?? id);
    const contents = files.map(({ content }) => content);
    inventoried(this, { files: () => secretFiles(namespace, name, this.data) });
    this.node.addValidation({ validate: () => referencesElsewhere(this, contents) });
  }
}

/** What Kubernetes takes as a key of a Secret, but for the one that no object of JavaScript takes. */
const KEY = /^(?!\.$|\.\.|__proto__$)[-._a-zA-Z0-9]{1,253}$/;

function keyOf(path: string): string {
  return path.replace(/^\//, "").replaceAll("/", "-");
}

function checkKeys(files: FilesSecretProps["files"], problems: Problems): void {
  const paths = new Map<string, string>();
  for (const { path } of files) {
    const key = keyOf(path);
    const other = paths.get(key);
    if (!KEY.test(key)) {
      const allowed = "letters, digits, '-', '_', '.' and '/', at most 253 bytes";
      problems.add({ code: "secret-key", at: "files", given: path, allowed, fix: "give the file such a path" });
    } else if (other !== undefined) {
      const allowed = `a path whose key is not ${key}, as that of ${other} is`;
      problems.add({
        code: "secret-key-twice",
        at: "files",
        given: path,
        allowed,
        fix: "put one of them into a Secret of its own",
      });
    }
    paths.set(key, path);
  }
}
