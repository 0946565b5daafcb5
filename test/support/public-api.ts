import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(__dirname, "../..");

/** Source of the package's face and of all that it needs. */
export function publicProgram(options: ts.CompilerOptions = {}): ts.Program {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (file) => ts.sys.readFile(file)) as {
    config: object;
  };
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, ROOT, options);
  return ts.createProgram([join(ROOT, "lib/index.ts")], parsed.options);
}

/**
 * What a user of the package can name, as TypeScript declares it: sorted, without comments and private members, and with the types that
 * the public ones are made of though they have no public name.
 */
export function publicApi(): string {
  const folder = mkdtempSync(join(tmpdir(), "api-"));
  try {
    const declarations = { outDir: folder, emitDeclarationOnly: true, removeComments: true };
    publicProgram(declarations).emit();
    const hidden = { logLevel: ExtractorLogLevel.None, addToApiReportFile: false };
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        newlineKind: "lf",
        mainEntryPointFilePath: join(folder, "lib/index.d.ts"),
        compiler: { tsconfigFilePath: join(ROOT, "tsconfig.json"), skipLibCheck: true },
        apiReport: {
          enabled: true,
          reportFileName: "api",
          reportFolder: folder,
          reportTempFolder: join(folder, "temp"),
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: { extractorMessageReporting: { default: hidden }, tsdocMessageReporting: { default: hidden } },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(ROOT, "package.json"),
    });
    Extractor.invoke(config, { localBuild: true, messageCallback: (message) => (message.handled = true) });
    const report = readFileSync(join(folder, "api.api.md"), "utf8");
    const [, declared] = /```ts\n\n([\s\S]*?)```/.exec(report)!;
    // Its own comments say again and again that there are no others.
    return declared!.replace(/^ *\/\/.*\n/gm, "");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
