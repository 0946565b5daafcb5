import { randomBytes, type X509Certificate } from "node:crypto";
import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Flight, FlightError, type Shown } from "./flight";
import { clientHello } from "./hello";

/** Where a server listens. */
export interface Place {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number;
}

/** What was seen of a server. */
export type Seen =
  | (Shown & { readonly kind: "shown" })
  /** It speaks TLS 1.3 alone, which hides the authorities. */
  | { readonly kind: "hidden"; readonly chain: Shown["chain"] }
  /** It is no server: certificates of authorities stand there. */
  | { readonly kind: "bundle"; readonly certificates: readonly X509Certificate[] }
  /** It is no server: a client was issued a certificate with which it comes. */
  | { readonly kind: "presented"; readonly chain: Shown["chain"] }
  /** Nothing, and why. */
  | { readonly kind: "nothing"; readonly reason: string };

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there, or on loopback alone",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  EHOSTUNREACH: "there is no way to that address",
  ENETUNREACH: "there is no way to that address",
  ENOTFOUND: "nobody knows that name",
  EAI_AGAIN: "nobody answers for that name",
  EACCES: "a firewall of this machine forbids it",
};

/**
 * Asks a server which certificate it serves and whose clients it lets in, without a credential.
 *
 * @param timeout milliseconds that all of it may take
 */
export async function look(place: Place, timeout: number): Promise<Seen> {
  const end = Date.now() + timeout;
  const seen = await inClear(place, timeout);
  if (!(seen instanceof FlightError)) {
    return seen;
  }
  const other = await encrypted(place, Math.max(end - Date.now(), 1), timeout);
  // What 1.3 was answered says less: it was tried because of the first.
  return other.kind === "nothing" ? nothing(seen) : other;
}

/** Looks at several servers, a few at a time, in their order. */
export async function lookAll<T, Result>(
  targets: readonly T[],
  atOnce: number,
  one: (target: T) => Promise<Result>,
): Promise<Result[]> {
  const seen: Result[] = [];
  const waiting = targets.map((target, index) => ({ target, index }));
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      seen[next.index] = await one(next.target);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, targets.length) }, worker));
  return seen;
}

function inClear({ host, port }: Place, timeout: number): Promise<Seen | FlightError> {
  const random = randomBytes(32);
  const flight = new Flight(random);
  const socket = connectSocket({ host, port });
  return ended(socket, timeout, (done) => {
    socket.once("connect", () => void socket.write(clientHello(random, host)));
    socket.on("data", (chunk: Buffer) => {
      try {
        const shown = flight.push(chunk);
        if (shown) {
          done({ kind: "shown", ...shown });
        }
      } catch (error) {
        done(error instanceof FlightError && error.isOtherVersion ? error : nothing(error));
      }
    });
  });
}

function encrypted({ host, port }: Place, left: number, timeout: number): Promise<Seen> {
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ host, port, ...servername, minVersion: "TLSv1.3", rejectUnauthorized: false });
  return ended(
    socket,
    left,
    (done) => {
      socket.once("secureConnect", () => {
        const first = socket.getPeerX509Certificate();
        done(
          first ? { kind: "hidden", chain: [first, ...issuersOf(first)] } : nothing(new FlightError("no certificate")),
        );
      });
    },
    timeout,
  );
}

function issuersOf({ issuerCertificate }: X509Certificate): X509Certificate[] {
  return issuerCertificate ? [issuerCertificate, ...issuersOf(issuerCertificate)] : [];
}

/** Waits until something is seen, the connection ends, or the time is over; in any case the connection is closed then. */
function ended<T>(
  socket: Socket,
  left: number,
  watch: (done: (seen: T | Seen) => void) => void,
  timeout = left,
): Promise<T | Seen> {
  return new Promise((resolve) => {
    const done = (seen: T | Seen) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(seen);
    };
    const timer = setTimeout(() => done({ kind: "nothing", reason: `no answer within ${timeout / 1000} s` }), left);
    socket.on("error", (error) => done(nothing(error)));
    socket.once("end", () =>
      done({ kind: "nothing", reason: "it closed the connection before it had shown anything" }),
    );
    socket.once("close", () => done({ kind: "nothing", reason: "the connection was closed" }));
    watch(done);
  });
}

function nothing(error: unknown): Seen {
  if (error instanceof FlightError) {
    return { kind: "nothing", reason: `it does not answer as a TLS server does: ${error.message}` };
  }
  // Several addresses of a name were tried, each with an error of its own.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const { code = "unknown error" } = (first ?? error) as NodeJS.ErrnoException;
  return { kind: "nothing", reason: REASONS[code] ?? code };
}
