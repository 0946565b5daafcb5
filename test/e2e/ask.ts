import { request } from "node:https";

/** Certificate and key of a client. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Asking {
  /** @default - nobody */
  readonly as?: Identity;
  /** PEM of those who may have signed the server's certificate. */
  readonly ca: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose certificate it has to be. @default - that of the URL's host */
  readonly servername?: string;
  readonly method?: string;
  readonly body?: object;
}

export interface Answer {
  /** Nothing where the connection came to an end before an answer. */
  readonly status?: number;
  readonly body: string;
}

/** An answer on a connection of its own, from a server that is who it should be. */
export function ask(url: string, { as, ca, token, headers, servername, method, body }: Asking): Promise<Answer> {
  const authorization = token && { Authorization: `Bearer ${token}` };
  const type = body && { "Content-Type": "application/json" };
  const options = { ...as, ca, ...(servername ? { servername } : {}), method, agent: false, timeout: 5000 };
  return new Promise((resolve) => {
    const asked = request(url, { ...options, headers: { ...headers, ...authorization, ...type } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.once("close", () => resolve({ status: response.statusCode, body: text }));
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer")));
    asked.once("error", (error) => resolve({ body: error.message }));
    asked.end(body && JSON.stringify(body));
  });
}
