import { pinnedName, typeOf } from "../../terraform-json/address";
import { resourceType } from "../../terraform-json/resource-types";
import { parseName } from "../../terraform/names";
import type { Plan, PlannedResource } from "../../terraform-json/plan";
import type { PlannedFile, Published } from "../read/published";
import { objectName } from "./facts";

/**
 * Files in which a private key will stand where it did not before, or which more people may read, by the key's address:
 * `cp-1 /etc/x.key, mode 0644`. What is no exposure: a new machine gets the keys that others have in the same place, and the next
 * generation takes the place of the last.
 */
export function exposuresIn(published: Published): Map<string, string[]> {
  const before = new Map(published.filesOn("before").map((file) => [placeOf(file), file]));
  const places = filesByKey(before.values());
  const known = new Set([...before.values()].map(machineOf));
  // Where nothing was published before, nobody can tell what is new.
  const clusters = new Set([...before.values()].map(({ cluster }) => cluster));
  const exposures = new Map<string, string[]>();
  for (const [address, files] of filesByKey(published.filesOn("after"))) {
    const published = files.filter(({ cluster }) => clusters.has(cluster));
    const found = published.flatMap((file) => {
      const old = before.get(placeOf(file));
      if (old && keysIn(old).some((key) => key === address || isOtherGeneration(key, address))) {
        return looser(old, file);
      }
      const isAsElsewhere = (places.get(address) ?? []).some((other) => {
        return other.path === file.path && looser(other, file).length === 0;
      });
      return !known.has(machineOf(file)) && isAsElsewhere ? [] : [`${file.holder} ${file.path}`];
    });
    if (found.length > 0) {
      exposures.set(address, found.sort());
    }
  }
  return exposures;
}

/** Private keys that exist and that a new Secret holds: `Secret/web/tls with tls_private_key.x`. */
export function keysInNewSecret(secret: PlannedResource, { references, resources }: Plan): string[] {
  if (secret.change !== "create") {
    return [];
  }
  const named = new Set(
    references
      .of(secret.configured)
      .filter(({ address, attribute = "" }) =>
        resourceType(typeOf(address))?.privateKey?.some((path) => path.split(".")[0] === attribute),
      )
      .map(({ address }) => address),
  );
  const keys = named.size === 0 ? [] : resources.filter(({ configured }) => named.has(configured));
  return keys
    .filter(({ before, change }) => before !== undefined && change !== "replace" && change !== "delete")
    .map(({ address }) => `Secret/${objectName(secret, "after")} with ${address}`)
    .sort();
}

/** Who may read it now and could not before: by its mode, or because it is somebody else's. */
function looser(before: PlannedFile, after: PlannedFile): string[] {
  const added = parseInt(after.mode, 8) & ~parseInt(before.mode, 8);
  const changes = [
    ...(added > 0 ? [`mode ${before.mode} → ${after.mode}`] : []),
    ...(before.owner === after.owner ? [] : [`owner ${before.owner} → ${after.owner}`]),
  ];
  return changes.length > 0 ? [`${after.holder} ${after.path}, ${changes.join(", ")}`] : [];
}

function filesByKey(files: Iterable<PlannedFile>): Map<string, PlannedFile[]> {
  const found = new Map<string, PlannedFile[]>();
  for (const file of files) {
    for (const key of keysIn(file)) {
      const others = found.get(key) ?? [];
      others.push(file);
      found.set(key, others);
    }
  }
  return found;
}

/** Addresses of the private keys in a file. */
function keysIn({ references }: PlannedFile): string[] {
  const keys = references.filter(({ address, attribute }) =>
    resourceType(typeOf(address))?.privateKey?.includes(attribute),
  );
  return [...new Set(keys.map(({ address }) => address))];
}

/** Generations of one authority, or of one key pair: by the contract of names. */
function isOtherGeneration(first: string, second: string): boolean {
  const [one, other] = [first, second].map((address) => parseName(pinnedName(address) ?? ""));
  return (
    one?.generation !== undefined &&
    other?.generation !== undefined &&
    one.kind === other.kind &&
    one.prefix === other.prefix &&
    one.name === other.name
  );
}

function machineOf({ cluster, holder }: PlannedFile): string {
  return `${cluster}\n${holder}`;
}

function placeOf(file: PlannedFile): string {
  return `${machineOf(file)}\n${file.path}`;
}
