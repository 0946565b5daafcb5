import { canonicalIp, type HostMistake, isMistake, parseHost } from "../../x509/host";
import { type Endpoint, hostAndPort, hostPort } from "../cluster";

/** Ports that a URL leaves out. */
const DEFAULT_PORTS: Readonly<Record<string, number>> = { https: 443, http: 80 };

/** What to write instead of an endpoint that is none: the host that was probably meant, with the port that was. */
export function endpointFix(endpoint: Endpoint, { fix }: HostMistake): string {
  const { text, port } =
    typeof endpoint === "string" ? { text: endpoint } : { text: hostOf(endpoint), port: endpoint.port };
  const [, scheme, authority] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text) ?? [];
  const url = authority === undefined ? undefined : meant(authority, port ?? DEFAULT_PORTS[scheme!.toLowerCase()]);
  if (url !== undefined) {
    return `it is a URL; did you mean ${written(endpoint, url)}?`;
  }
  const inField = typeof endpoint === "string" ? undefined : meant(text, port);
  return inField === undefined ? fix : `it has a port; did you mean ${written(endpoint, inField)}?`;
}

function hostOf(endpoint: Exclude<Endpoint, string>): string {
  return "dns" in endpoint ? endpoint.dns : endpoint.ip;
}

/** `host:port` taken apart; undefined where that is none, either. */
function meant(authority: string, otherwise?: number): ReturnType<typeof hostAndPort> | undefined {
  const found = hostAndPort(authority);
  const port = /:[0-9]+$/.test(authority) && canonicalIp(authority) === undefined ? found.port : otherwise;
  return isMistake(parseHost(found.host)) ? undefined : { ...found, ...(port === undefined ? {} : { port }) };
}

function written(endpoint: Endpoint, { host, kind, port }: ReturnType<typeof hostAndPort>): string {
  return typeof endpoint === "string"
    ? JSON.stringify(hostPort({ host, kind, port }))
    : `{ ${kind}: ${JSON.stringify(host)}, port: ${port} }`;
}

/** `2001:db8::1:6443` is an address, and an address with a port: what each would be written as. */
export function ambiguousAddress(endpoint: Endpoint): string | undefined {
  if (typeof endpoint !== "string" || !canonicalIp(endpoint)?.includes(":")) {
    return undefined;
  }
  const [, address, port] = /^(.*[^:]):([1-9][0-9]{1,4})$/.exec(endpoint) ?? [];
  const other = address === undefined ? undefined : canonicalIp(address);
  return other === undefined
    ? undefined
    : `write "[${other}]:${port}", or { ip: "${canonicalIp(endpoint)}" } for the address`;
}
