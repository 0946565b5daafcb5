import { readPublishedFile } from "../../lib/kubernetes/cluster-file";
/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

/** Resources of a synthesized stack by address. */
export function resourcesOf(terraform: any): Map<string, any> {
  return new Map(
    Object.entries<object>(terraform.resource ?? {}).flatMap(([type, byName]) =>
      Object.entries(byName).map(([name, resource]) => [`${type}.${name}`, resource] as const),
    ),
  );
}

/** `address: attribute` for what is new (`+`), gone (`-`) or different (`~`), sorted. */
export function differences(before: any, after: any): string[] {
  const [old, now] = [resourcesOf(before), resourcesOf(after)];
  const added = [...now.keys()].filter((address) => !old.has(address)).map((address) => `+ ${address}`);
  const gone = [...old.keys()].filter((address) => !now.has(address)).map((address) => `- ${address}`);
  const changed = [...now].flatMap(([address, resource]) => {
    const was = old.get(address) ?? resource;
    return [...new Set([...Object.keys(was), ...Object.keys(resource)])]
      .filter((attribute) => JSON.stringify(was[attribute]) !== JSON.stringify(resource[attribute]))
      .map((attribute) => `~ ${address}: ${attribute}`);
  });
  return [...added, ...gone, ...changed].sort();
}

/** Every Terraform expression in a value. What is escaped is none. */
export function expressionsIn(value: unknown): string[] {
  return JSON.stringify(value).match(/(?<!\$)\$\{[^}]*\}/g) ?? [];
}

/** The file map that a part publishes: holder → path → file, as whoever reads the output gets it. */
export function filesIn(terraform: any, prefix = "pki"): Record<string, Record<string, any>> {
  const map = parsedOutput(terraform, `${prefix}_files`);
  const read = (files: object) =>
    Object.fromEntries(Object.entries(files).map(([path, file]) => [path, readPublishedFile(file)]));
  return Object.fromEntries(Object.entries(map).map(([holder, files]) => [holder, read(files)]));
}

/** An output of JSON texts by name, as whoever reads it gets it. */
export function parsedOutput(terraform: any, output: string): Record<string, Record<string, any>> {
  const texts = Object.entries<string>(terraform.output[output].value);
  return Object.fromEntries(texts.map(([key, text]) => [key, JSON.parse(text.replace(/\$\$\{/g, () => "${"))]));
}
