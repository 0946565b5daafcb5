import { askedOf, differences, saidIn } from "./asked";
import type { Drawn } from "./descriptions";
import { canonical, plain } from "./values";

/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

// What is true of the Terraform that a description becomes, by what Kubernetes asks for and by the description alone.

/** `cdk.tf.json`, parsed. */
export type Code = any;

/** Terraform's variables have their values as defaults: what only Terraform knows is known here, too. */
export function filled(code: Code): Code {
  return fill(code, (name) => code.variable?.[name]?.default);
}

function fill(value: any, defaultOf: (variable: string) => string | undefined): any {
  if (typeof value === "string") {
    return valueOf(value, defaultOf) ?? value;
  }
  if (Array.isArray(value)) {
    return value.map((inner) => fill(inner, defaultOf));
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, defaultOf)]))
    : value;
}

/** The value of an expression that does no more to a variable than write it in its one spelling, in which it is already. */
function valueOf(text: string, defaultOf: (variable: string) => string | undefined): string | undefined {
  const [, expression = ""] = /^\$\{(.*)\}$/.exec(text) ?? [];
  const variables = new Set([...expression.matchAll(/\bvar\.([\w-]+)/g)].map(([, name]) => name!));
  const isSpelling = /^(var|lower|try\(cidrhost|trimsuffix|distinct)\b/.test(expression);
  return variables.size === 1 && isSpelling ? defaultOf([...variables][0]!) : undefined;
}

/** Lines that say what is wrong; none where all is right. */
export function faultsOf(code: Code, drawn: Drawn): string[] {
  const { resource } = code;
  return [
    ...differences(askedOf(drawn), saidIn(code)),
    ...sharedKeys(resource),
    ...lives(resource),
    ...servers(code, drawn),
    ...secrets(code),
  ];
}

/** Every key belongs to one certificate or one key pair. */
function sharedKeys({ tls_cert_request: requests = {}, tls_self_signed_cert: selfSigned = {} }: any): string[] {
  const owners = new Map<string, string>();
  return Object.entries<any>({ ...requests, ...selfSigned }).flatMap(([name, { private_key_pem: key }]) => {
    const owner = owners.get(key);
    owners.set(key, name);
    return owner === undefined ? [] : [`${name}: its key is that of ${owner}`];
  });
}

/** A leaf ends before its authority. */
function lives({ tls_locally_signed_cert: signed = {}, tls_self_signed_cert: selfSigned = {} }: any): string[] {
  const hours = (reference: string): number | undefined => {
    const [, type, name] = /^\$\{(\w+)\.([\w-]+)\.cert_pem\}$/.exec(reference) ?? [];
    return { tls_locally_signed_cert: signed, tls_self_signed_cert: selfSigned }[type!]?.[name!]?.validity_period_hours;
  };
  return Object.entries<any>(signed).flatMap(([name, certificate]) => {
    const above = hours(certificate.ca_cert_pem);
    return above !== undefined && above > certificate.validity_period_hours
      ? []
      : [`${name}: it is valid for ${certificate.validity_period_hours} h, and who signs it for ${above} h`];
  });
}

/** Whoever follows a kubeconfig finds an API server whose certificate has that very name. */
function servers(code: Code, drawn: Drawn): string[] {
  const names = new Map(
    drawn.controlPlanes.flatMap(({ name }): [string, string[]][] => {
      const request = code.resource.tls_cert_request?.[`${drawn.name}__${name.replaceAll(".", "_")}__apiserver`];
      return request === undefined ? [] : [[name, [...(request.dns_names ?? []), ...(request.ip_addresses ?? [])]]];
    }),
  );
  // With a value that only Terraform knows, the text is an expression: the descriptions that are applied show it.
  const literal = Object.entries<string>(code.output[`${drawn.name}_files`]?.value ?? {}).filter(([, text]) =>
    text.startsWith("{"),
  );
  return literal.flatMap(([holder, text]) =>
    Object.entries<any>(JSON.parse(text)).flatMap(([path, { content }]) => {
      const server = content?.kubeconfig?.server;
      return typeof server !== "string" || server.includes("${") ? [] : wrongServer(server, holder, names, drawn, path);
    }),
  );
}

/** The API server's port where nobody says another. */
const PORT = 6443;

/**
 * A line where a kubeconfig leads to no API server that has its name: that of the same machine, or all of them by the endpoint.
 *
 * @param names of each API server's certificate, by its machine
 */
export function wrongServer(
  server: string,
  holder: string,
  names: ReadonlyMap<string, readonly string[]>,
  { endpoint, controlPlanes }: Drawn,
  where: string,
): string[] {
  const [, brackets, host = brackets, port] = /^https:\/\/(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(server) ?? [];
  if (host === undefined) {
    return [`${where}: ${server} is no URL of an API server`];
  }
  const isEndpoint = canonical(host) === canonical(plain(endpoint.host)) && Number(port) === endpoint.port;
  const own = controlPlanes.find(({ name }) => name === holder);
  const isOwn =
    own?.addresses.map((address) => canonical(plain(address))).includes(host) &&
    Number(port) === (own.bindPort ?? PORT);
  if (!isEndpoint && !isOwn) {
    return [`${where}: ${server} is neither the endpoint nor the API server of ${holder}`];
  }
  const asked = isEndpoint ? [...names.keys()] : [holder];
  // The text itself stands in the certificate: a client compares what it was given.
  const without = asked.filter((name) => !names.get(name)?.includes(host));
  return without.map((name) => `${where}: ${host} does not stand in the certificate of the API server of ${name}`);
}

/** No output holds a key. */
function secrets(code: Code): string[] {
  return Object.entries<any>(code.output ?? {}).flatMap(([name, { value }]) =>
    // Where a key stands is said in quotes; without them, it would be the key itself.
    /[^"\w.-]tls_private_key\.[\w-]+\.private_key_pem/.test(JSON.stringify(value))
      ? [`${name}: it holds a private key`]
      : [],
  );
}
