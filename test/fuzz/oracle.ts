import { isIPv6 } from "node:net";
import type { Drawn, DrawnMachine } from "./descriptions";

/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

// What is true of the Terraform that a description becomes, by what Kubernetes asks for and by the description alone.

/** `cdk.tf.json`, parsed. */
export type Code = any;

/** An address in one spelling: by its bytes. */
function canonical(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]/`).hostname.slice(1, -1) : name.toLowerCase();
}

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
  const requests = Object.entries<any>(resource.tls_cert_request ?? {});
  return [
    ...requests.flatMap(([name, request]) => twice(name, request)),
    ...sharedKeys(resource),
    ...lives(resource),
    ...(drawn.distribution === "kubeadm" ? apiServerNames(code, drawn) : []),
    ...servers(code, drawn),
    ...secrets(code),
  ];
}

function namesOf(request: any): string[] {
  return [...(request.dns_names ?? []), ...(request.ip_addresses ?? [])].map((name: string) => canonical(name));
}

function twice(name: string, request: any): string[] {
  const names = namesOf(request);
  const found = names.filter((one, index) => names.indexOf(one) !== index);
  return found.map((one) => `${name}: ${one} stands in it twice`);
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

function texts(names: Drawn["extraSans"] = []): string[] {
  return names.flatMap((name) =>
    typeof name === "string" ? [name] : [...(name.dns ?? []), ...(name.ips ?? [])].map(plain),
  );
}

function plain(text: string | { readonly later: string }): string {
  return typeof text === "string" ? text : text.later;
}

/** Kubernetes' own names, the machine's, the endpoint's, the first address of each service CIDR, and what was asked for. */
function apiServerNames(code: Code, drawn: Drawn): string[] {
  const domain = drawn.clusterDomain ?? "cluster.local";
  const firsts = drawn.serviceCidrs.map((cidr) => cidr.split("/")[0]!.replace(/0$/, "1").replace(/::$/, "::1"));
  return drawn.controlPlanes.flatMap((machine: DrawnMachine) => {
    const wanted = [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${domain}`,
      machine.name,
      ...machine.addresses.map(plain),
      plain(drawn.endpoint.host),
      ...firsts,
      ...texts(drawn.extraSans),
      ...texts(machine.extraSans),
    ].map(canonical);
    const name = `${drawn.name}__${machine.name.replaceAll(".", "_")}__apiserver`;
    const has = namesOf(code.resource.tls_cert_request[name]);
    const [more, less] = [has.filter((one) => !wanted.includes(one)), wanted.filter((one) => !has.includes(one))];
    return [
      ...more.map((one) => `${name}: ${one} was not asked for`),
      ...less.map((one) => `${name}: ${one} is missing`),
    ];
  });
}

/** Whoever follows a kubeconfig finds an API server whose certificate has that very name. */
function servers(code: Code, drawn: Drawn): string[] {
  const requests = Object.entries<any>(code.resource.tls_cert_request ?? {}).filter(([name]) =>
    name.endsWith("__apiserver"),
  );
  if (requests.length === 0) {
    return [];
  }
  // With a value that only Terraform knows, the text is an expression: the descriptions that are applied show it.
  const literal = Object.values<string>(code.output[`${drawn.name}_files`]?.value ?? {}).filter((text) =>
    text.startsWith("{"),
  );
  const files = literal.flatMap((text) => Object.entries<any>(JSON.parse(text)));
  return files.flatMap(([path, { content }]) => {
    const server = content?.kubeconfig?.server;
    if (typeof server !== "string") {
      return [];
    }
    // A token's address may be IPv6: Terraform puts it in brackets itself.
    const [, bare] = /^https:\/\/(?:\[([^\]]+)\]|[^:[]+):\d+$/.exec(server) ?? [];
    const host = bare ?? /^https:\/\/([^:]+):\d+$/.exec(server)?.[1];
    if (host === undefined) {
      return server.includes("strcontains") ? [] : [`${path}: ${server} is no URL`];
    }
    const isNamed = requests.some(([, request]) =>
      [...(request.dns_names ?? []), ...(request.ip_addresses ?? [])].includes(host),
    );
    return isNamed ? [] : [`${path}: ${host} stands in no API server's certificate`];
  });
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
