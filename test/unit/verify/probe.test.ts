import { X509Certificate } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { nameText } from "../../../lib/verify/der";
import { look, lookAll } from "../../../lib/verify/probe";
import { KUBERNETES } from "../../support/chain";
import { CA_CERTIFICATE, LEAF_CERTIFICATE, LEAF_KEY } from "../../support/pem";
import { FLIGHT } from "../../support/flight";

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A server that answers in its own way. */
function answering(answer: (socket: Socket) => void): Promise<number> {
  return listening(createServer(answer));
}

function tls(options: TlsOptions): Promise<number> {
  const server = createTlsServer({ key: LEAF_KEY, cert: LEAF_CERTIFICATE, ...options });
  server.on("tlsClientError", () => undefined);
  return listening(server);
}

const at = (port: number, host = "127.0.0.1") => ({ host, port });

test("a server is asked which certificate it serves and whose clients it lets in", async () => {
  const ca = [KUBERNETES, CA_CERTIFICATE];
  const seen = await look(at(await tls({ requestCert: true, ca })), 3000);
  expect(seen).toMatchObject({ kind: "shown" });
  if (seen.kind === "shown") {
    expect(seen.chain[0].subject).toBe(new X509Certificate(LEAF_CERTIFICATE).subject);
    expect(seen.authorities!.map(nameText)).toHaveLength(2);
  }
});

test("one that asks for no certificate says so", async () => {
  expect(await look(at(await tls({})), 3000)).toMatchObject({ kind: "shown", authorities: undefined });
});

test("one that insists on TLS 1.3 shows its certificate, and hides the rest", async () => {
  const seen = await look(at(await tls({ minVersion: "TLSv1.3", requestCert: true, ca: [KUBERNETES] })), 3000);
  expect(seen).toMatchObject({ kind: "hidden" });
  expect(seen.kind === "hidden" && seen.chain[0].subject).toBe(new X509Certificate(LEAF_CERTIFICATE).subject);
});

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "a name is said to a server of %s, for which it may have another certificate; an address is not",
  async (minVersion) => {
    const names: string[] = [];
    const SNICallback: TlsOptions["SNICallback"] = (name, done) => {
      names.push(name);
      done(null);
    };
    const port = await tls({ minVersion, SNICallback });
    for (const host of ["127.0.0.1", "localhost"]) {
      expect((await look(at(port, host), 3000)).kind).not.toBe("nothing");
    }
    expect([...new Set(names)]).toEqual(["localhost"]);
  },
);

/** Writes byte after byte, without end. */
function dribble(socket: Socket, bytes: Buffer, at = 0): void {
  if (!socket.destroyed) {
    socket.write(bytes.subarray(at, at + 1));
    setTimeout(() => dribble(socket, bytes, (at + 1) % bytes.length), 10);
  }
}

test.each<[string, (socket: Socket) => void, string | RegExp]>([
  ["says nothing", () => undefined, "no answer within 0.3 s"],
  ["is slower than anybody waits", (socket) => dribble(socket, FLIGHT), "no answer within 0.3 s"],
  ["speaks HTTP", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), /no TLS: it begins with "HTTP\/"/],
  ["closes", (socket) => socket.end(), "it closed the connection before it had shown anything"],
  [
    "closes half way",
    (socket) => socket.end(FLIGHT.subarray(0, 300)),
    "it closed the connection before it had shown anything",
  ],
  ["resets", (socket) => socket.once("data", () => socket.resetAndDestroy()), "the connection was reset"],
  ["repeats what another said", (socket) => socket.write(FLIGHT), /does not have the key/],
  ["sends zeros", (socket) => socket.write(Buffer.alloc(100_000)), /no TLS/],
  [
    "refuses the version, and then everything",
    (socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 70])),
    /protocol_version/,
  ],
])("one that %s is not seen, and nobody waits for it", async (_, answer, reason) => {
  const port = await answering(answer);
  const start = Date.now();
  const seen = await look(at(port), 300);
  expect(Date.now() - start).toBeLessThan(1500);
  expect(seen).toEqual({ kind: "nothing", reason: reason instanceof RegExp ? expect.stringMatching(reason) : reason });
});

test("where nobody listens, that is said", async () => {
  const port = await answering(() => undefined);
  await new Promise((resolve) => servers.pop()!.close(resolve));
  expect(await look(at(port), 3000)).toEqual({ kind: "nothing", reason: "nobody listens there, or on loopback alone" });
  expect(await look(at(port, "no-such-host.invalid"), 3000)).toMatchObject({ kind: "nothing" });
});

test("many are asked a few at a time, and answers stand in their order", async () => {
  let [running, most] = [0, 0];
  const answers = await lookAll([5, 3, 1, 4, 2], 2, async (number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, number * 5));
    running -= 1;
    return number * 10;
  });
  expect(answers).toEqual([50, 30, 10, 40, 20]);
  expect(most).toBe(2);
});
