import { Token } from "cdktf";
import { LATER } from "../inventory-schema";
import { Content } from "../kubernetes/content";
import { CLUSTER } from "../kubernetes/cluster-file";
import type { MadeFile } from "../terraform/inventoried";
import { referencesIn } from "../kubernetes/content-readers";

/** The keys of a Secret, as the inventory lists them beside files. */
export function secretFiles(namespace: string, name: string, data: Readonly<Record<string, Content>>): MadeFile[] {
  const secret = ["Secret", namespace, name].map((part) => (Token.isUnresolved(part) ? LATER : part)).join("/");
  return Object.entries(data).map(([key, content]) => ({
    holder: CLUSTER,
    path: `${secret}#${key}`,
    kind: "secret",
    consumers: [],
    addresses: referencesIn(content).map(({ address }) => address),
  }));
}
