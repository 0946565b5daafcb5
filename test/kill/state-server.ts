import { createServer, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Told when a new state arrives: before it is taken, and after that, but before whoever sent it hears so. */
export type OnWrite = (moment: "arrives" | "taken") => void;

/**
 * A backend of the kind `http`, as Terraform's documentation describes it: a state is taken whole or not at all, every version is kept, and
 * whoever writes has to hold the lock.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/http
 */
export class StateServer {
  public static async start(): Promise<StateServer> {
    const it = new StateServer();
    await new Promise<void>((resolve) => it.server.listen(0, "127.0.0.1", resolve));
    return it;
  }

  /** Every state that was taken, the last one last. */
  public versions: string[] = [];
  public onWrite?: OnWrite | undefined;
  private lock?: { readonly id: string; readonly text: string } | undefined;
  private readonly server: Server = createServer((request, response) => {
    this.answer(request, response).catch(() => response.destroy());
  });

  public get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/state`;
  }

  /** Whether somebody holds the lock, who may be gone. */
  public get isLocked(): boolean {
    return this.lock !== undefined;
  }

  /** Begins anew, with one version. */
  public reset(state: string): void {
    this.versions = [state];
    this.lock = undefined;
    this.onWrite = undefined;
  }

  public async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST") {
      this.onWrite?.("arrives");
    }
    // A sender that was killed ends the request before its body is complete: that throws.
    const body = await bodyOf(request);
    const [status, text = ""] = this.decide(request, body);
    response.writeHead(status).end(text);
  }

  private decide({ method, url = "" }: IncomingMessage, body: string): [status: number, text?: string] {
    const idOf = (text: string) => (JSON.parse(text || "{}") as { ID?: string }).ID ?? "";
    switch (method) {
      case "GET":
        return this.versions.length > 0 ? [200, this.versions.at(-1)!] : [404];
      case "POST":
        if (this.lock && new URL(url, "http://localhost").searchParams.get("ID") !== this.lock.id) {
          return [409, this.lock.text];
        }
        this.versions.push(body);
        this.onWrite?.("taken");
        return [200];
      case "LOCK":
        if (this.lock) {
          return [423, this.lock.text];
        }
        this.lock = { id: idOf(body), text: body };
        return [200];
      case "UNLOCK":
        // `force-unlock` sends no body.
        if (this.lock && body && idOf(body) !== this.lock.id) {
          return [409, this.lock.text];
        }
        this.lock = undefined;
        return [200];
      default:
        return [405];
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
