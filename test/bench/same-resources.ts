import assert from "node:assert/strict";

type Resources = Readonly<Record<string, Readonly<Record<string, object>>>>;

const REFERENCE = /\$\{(\w+\.[\w-]+)\.(\w+)\}/g;

/**
 * Two stacks that are compared ask for the same: as many resources of each type, with the same arguments, joined in the same way.
 * Only the names differ.
 *
 * @param ours, theirs what cdktf wrote
 * @throws AssertionError with the difference
 */
export function assertSameResources(ours: unknown, theirs: unknown): void {
  const [a, b] = [ours, theirs].map((configuration) => (configuration as { resource: Resources }).resource);
  assert.deepEqual(countsByType(a), countsByType(b), "the stacks differ in how many resources they have of each type");
  assert.deepEqual(nameless(a), nameless(b), "the stacks differ in the arguments of their resources");
}

function countsByType(resources: Resources): Record<string, number> {
  return Object.fromEntries(Object.entries(resources).map(([type, named]) => [type, Object.keys(named).length]));
}

/** Each resource as text without cdktf's metadata, a reference replaced by what it refers to and how many others do. */
function nameless(resources: Resources): string[] {
  const bodies = new Map<string, string>();
  for (const [type, named] of Object.entries(resources)) {
    for (const [name, body] of Object.entries(named)) {
      bodies.set(`${type}.${name}`, JSON.stringify({ ...body, "//": undefined }));
    }
  }
  const references = new Map<string, number>();
  for (const body of bodies.values()) {
    for (const [, address] of body.matchAll(REFERENCE)) references.set(address, (references.get(address) ?? 0) + 1);
  }
  const describe = (address: string): string => {
    const body = bodies.get(address)!.replace(REFERENCE, (_, of: string, attribute: string) => {
      return `<${attribute} of ${describe(of)}>`;
    });
    return `${address.split(".")[0]} ${body}, referred to ${references.get(address) ?? 0} times`;
  };
  return [...bodies.keys()].map(describe).sort();
}
