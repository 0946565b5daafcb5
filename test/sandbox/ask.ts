import { request } from "node:https";
import { createSecureContext, SecureContext } from "node:tls";

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
  /** How long there may be no answer. @default 5 */
  readonly seconds?: number;
}

export interface Answer {
  /** Nothing where the connection came to an end before an answer. */
  readonly status?: number;
  readonly body: string;
}

/** An answer on a connection of its own, from a server that is who it should be. */
export function ask(
  url: string,
  { as, ca, token, headers, servername, method, body, seconds = 5 }: Asking,
): Promise<Answer> {
  const authorization = token && { Authorization: `Bearer ${token}` };
  const type = body && { "Content-Type": "application/json" };
  const options = {
    secureContext: contextOf(ca, as),
    ...(servername ? { servername } : {}),
    method,
    agent: false,
    timeout: seconds * 1000,
  };
  return new Promise((resolve) => {
    const asked = request(url, { ...options, headers: { ...headers, ...authorization, ...type } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.once("close", () =>
        resolve(response.complete ? { status: response.statusCode, body: text } : { body: "the answer broke off" }),
      );
    });
    asked.once("timeout", () => asked.destroy(new Error("no answer")));
    asked.once("error", (error) => resolve({ body: error.message }));
    asked.end(body && JSON.stringify(body));
  });
}

const contexts = new Map<string, SecureContext>();
const MOST_CONTEXTS = 200;

/** Who comes again with the same files is not read again: on a busy machine many calls a second must be cheap. */
function contextOf(ca: string, as?: Identity): SecureContext {
  const key = `${ca}\0${as?.cert ?? ""}\0${as?.key ?? ""}`;
  let context = contexts.get(key);
  if (!context) {
    if (contexts.size === MOST_CONTEXTS) {
      contexts.clear();
    }
    context = createSecureContext({ ...as, ca });
    contexts.set(key, context);
  }
  return context;
}
