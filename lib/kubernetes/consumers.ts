import type { ConsumerEntry } from "../inventory-schema";
import { Holder, holds } from "./holders";
import type { Consumer, FileRow } from "./table";

/** Who reads a file where somebody holds it: not everything runs on every holder. */
export function consumersOf({ consumers }: Pick<FileRow, "consumers">, holder: Holder): Consumer[] {
  return consumers.filter(({ on }) => on === undefined || holds(holder, on));
}

/** A consumer as the inventory writes it. */
export function consumerEntry({ component, via, onChange, prefers }: Consumer): ConsumerEntry {
  const entry = { component, via: Object.values(via)[0] as string, onChange };
  return prefers === undefined ? entry : { ...entry, prefers };
}
