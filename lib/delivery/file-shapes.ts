import type { ClusterFile } from "../kubernetes/cluster-file";
import { CONTENT } from "../kubernetes/checks/content-shape";
import { Fields, fields, list, name, optional, type Shape } from "../terraform/shape";

/** What nobody reads here. */
const ANY: Shape = { allowed: "an object", example: "{ … }", find: () => undefined };

const FIELDS = {
  path: name("/etc/kubernetes/pki/ca.crt"),
  mode: name("0600"),
  owner: name("root:root"),
  content: CONTENT,
  kind: name("certificate"),
  consumers: list(ANY),
  firstStartOnly: optional(ANY),
} satisfies Fields<ClusterFile>;

/** Files of which these fields are read: those of a PKI, or a user's own. */
export function filesWith(...read: readonly (keyof ClusterFile)[]): Shape {
  return list(fields(Object.fromEntries(read.map((field) => [field, FIELDS[field]])), Object.keys(FIELDS)));
}
