import { request } from "node:https";
import { connect, createServer, Server, Socket } from "node:net";

const LOOKS_EVERY_MS = 300;

/** A place where a server listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Passes each connection on to an API server as it is, so that TLS is between the client and that server. Those that say that they are
 * ready come first, in turn; where one refuses the connection, the next is tried.
 */
export class Balancer {
  /** Listens on a port of loopback. */
  public static async start(port: number, servers: readonly Place[]): Promise<Balancer> {
    const balancer = new Balancer(servers);
    await new Promise<void>((resolve, reject) => {
      balancer.listener.once("error", reject);
      balancer.listener.listen(port, "127.0.0.1", resolve);
    });
    return balancer;
  }

  private readonly listener: Server;
  private ready: readonly Place[] = [];
  private isLooking = false;
  private turn = 0;

  private constructor(private readonly servers: readonly Place[]) {
    this.listener = createServer((socket) => this.pass(socket));
    setInterval(() => void this.look(), LOOKS_EVERY_MS);
  }

  private pass(client: Socket): void {
    client.on("error", () => undefined);
    const first = this.ready.length > 0 ? this.ready[this.turn++ % this.ready.length]! : this.servers[0]!;
    const others = [...this.ready, ...this.servers].filter((place) => place !== first);
    this.connect(client, [first, ...new Set(others)]);
  }

  private connect(client: Socket, [place, ...others]: readonly Place[]): void {
    if (!place) {
      client.destroy();
      return;
    }
    const server = connect(place.port, place.host);
    server.on("error", () => undefined);
    const next = () => this.connect(client, others);
    server.once("error", next);
    server.once("connect", () => {
      server.off("error", next);
      if (client.destroyed) {
        server.destroy();
        return;
      }
      client.pipe(server).pipe(client);
      // Whoever of the two ends without a word takes the other along.
      client.once("close", () => server.destroy());
      server.once("close", () => client.destroy());
    });
  }

  private async look(): Promise<void> {
    if (this.isLooking) {
      return; // An answer that comes late must not stand for one that came since.
    }
    this.isLooking = true;
    const answers = await Promise.all(this.servers.map(isReady));
    this.ready = this.servers.filter((_, index) => answers[index]);
    this.isLooking = false;
  }
}

/** What a balancer asks, without a credential and of whoever it is. */
export function isReady({ host, port }: Place): Promise<boolean> {
  const options = { host, port, path: "/readyz", rejectUnauthorized: false, agent: false, timeout: 2000 };
  return new Promise((resolve) => {
    const asked = request(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.end();
  });
}
