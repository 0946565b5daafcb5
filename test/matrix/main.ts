import path from "node:path";
import { parseArgs } from "node:util";
import { PKI_STACK } from "../sandbox/description";
import { Sandbox } from "../sandbox/sandbox";
import { document } from "./document";
import { matrixOf, NAMED_WORKER, NODE } from "./matrix";
import { countOf, markdownOf } from "./table";
import { TRUST } from "./upstream";

const USAGE = `npm run matrix -- [--distribution NAME] [--write]

  --distribution NAME   whose identities: ${Object.keys(TRUST).join(", ")} (default: all, one after the other)
  --write               keep what was seen in docs/identities.md`;

/** `npm run matrix`: who is let in where, with what they were issued and with what nobody should have, at running control planes. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { distribution: { type: "string" }, write: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  let wrong = 0;
  for (const distribution of values.distribution === undefined ? Object.keys(TRUST) : [values.distribution]) {
    const trust = TRUST[distribution];
    if (!trust) {
      throw new Error(`--distribution: given ${distribution}; allowed: ${Object.keys(TRUST).join(", ")}`);
    }
    const progress = (line: string) => console.error(`${distribution}: ${line}`);
    const [nodes, workers] = [[NODE], [NAMED_WORKER]];
    const sandbox = await Sandbox.start({ folder: path.resolve(".sandbox"), distribution, nodes, workers, progress });
    try {
      await sandbox.export(["--machine", NAMED_WORKER], sandbox.machine(NAMED_WORKER), [PKI_STACK]);
      const kubelet = trust.kubelet === undefined ? undefined : await sandbox.startKubelet(NAMED_WORKER);
      progress("everybody comes to every port");
      const cells = await matrixOf(sandbox, trust, kubelet);
      const seen = markdownOf(cells);
      console.log(`${distribution}\n\n${seen}\n`);
      if (values.write) {
        document(distribution, seen);
      }
      const { wronglyLetIn, wronglyRefused } = countOf(cells);
      wrong += wronglyLetIn + wronglyRefused;
    } finally {
      await sandbox.stop();
    }
  }
  return wrong === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
