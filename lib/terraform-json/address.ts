/** Keys of `count` and `for_each`: a key may hold anything, brackets and dots too. */
const KEY = /\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g;

/** The keys of an instance, those of its modules included; most addresses have none. */
export function keysOf(address: string): string {
  return address.includes("[") ? (address.match(KEY)?.join("") ?? "") : "";
}

/** The address in the configuration. */
export function withoutKeys(address: string): string {
  return address.includes("[") ? address.replace(KEY, "") : address;
}

/** The type of a managed resource; undefined for what Terraform only reads. */
export function typeOf(address: string): string | undefined {
  const parts = withoutKeys(address).split(".");
  return parts.at(-3) === "data" ? undefined : parts.at(-2);
}

/** The name of a resource in the root module, which is what this library pins; undefined in other modules and for instances. */
export function pinnedName(address: string): string | undefined {
  return /^[a-z_0-9]+\.([\w-]+)$/.exec(address)?.[1];
}
