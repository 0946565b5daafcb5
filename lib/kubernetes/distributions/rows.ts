import type { Consumer } from "../table";

/** A flag whose file the component reads again by itself. */
export function reloads(component: string, flag: string, more: Partial<Consumer> = {}): Consumer {
  return { component, via: { flag }, onChange: "reload", ...more };
}

/** A flag whose file the component reads at its start. */
export function restarts(component: string, flag: string, more: Partial<Consumer> = {}): Consumer {
  return { component, via: { flag }, onChange: "restart", ...more };
}

/** Somebody who uses a file from the command line. */
export function uses(component: string, use: string): Consumer {
  return { component, via: { use }, onChange: "next-use" };
}
