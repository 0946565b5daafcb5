import { TerraformOutput } from "cdktf";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { ClusterFile, evaluate, toTerraform } from "../../lib";
import { real } from "../campaign/real";
import { Workspace } from "../e2e/workspace";
import { build, Drawn } from "./descriptions";
import { Code, filled } from "./oracle";

/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

/** Descriptions in one state: an apply writes all of it after every resource. */
const IN_ONE_STATE = 10;

const STACK = "fuzz";

/** What was really made of descriptions, and what of it is not as it was asked for. */
export interface Applied {
  readonly descriptions: number;
  readonly certificates: number;
  readonly files: number;
  readonly faults: readonly string[];
}

/** Applies descriptions with the real Terraform, and reads the certificates with another parser. */
export async function applied(descriptions: readonly Drawn[]): Promise<Applied> {
  const found = { certificates: 0, files: 0, faults: [] as string[] };
  for (let from = 0; from < descriptions.length; from += IN_ONE_STATE) {
    const batch = descriptions
      .slice(from, from + IN_ONE_STATE)
      .map((one, index): Drawn => ({ ...one, name: `${one.name}-f${index}` }));
    const { certificates, files, faults } = await applyAll(batch);
    found.certificates += certificates;
    found.files += files;
    found.faults.push(...faults);
  }
  return { descriptions: descriptions.length, ...found };
}

async function applyAll(batch: readonly Drawn[]): Promise<Omit<Applied, "descriptions">> {
  const workspace = await Workspace.create();
  const files: (readonly [name: string, file: ClusterFile])[] = [];
  try {
    workspace.synth(STACK, (stack) => {
      for (const drawn of batch) {
        const pki = build(stack, drawn);
        const holders = [...pki.machines, "worker", "operator"];
        files.push(
          ...holders.flatMap((holder) =>
            pki.files(holder).map((file) => [`${drawn.name} ${holder} ${file.path}`, file] as const),
          ),
        );
      }
      files.forEach(([, { content }], index) => {
        new TerraformOutput(stack, `file-${index}`, { value: toTerraform({ sha256: content }), sensitive: true });
      });
    });
    await workspace.apply(STACK);
    const state = JSON.parse(readFileSync(workspace.state(STACK), "utf8"));
    const code = JSON.parse(readFileSync(path.join(workspace.stack(STACK), "cdk.tf.json"), "utf8"));
    const attributes = attributesOf(state);
    const certificates = Object.keys(code.resource.tls_locally_signed_cert ?? {}).length;
    return {
      certificates,
      files: files.length,
      faults: [...wrongCertificates(filled(code), attributes), ...wrongFiles(files, state, attributes)],
    };
  } catch (error) {
    const names = batch.map((drawn) => JSON.stringify(drawn)).join("\n");
    return { certificates: 0, files: 0, faults: [`it cannot be applied: ${String(error).slice(0, 3000)}\n${names}`] };
  } finally {
    workspace.remove();
  }
}

type Attributes = ReadonlyMap<string, Readonly<Record<string, any>>>;

function attributesOf({ resources }: any): Attributes {
  return new Map(
    resources.map(({ type, name, instances }: any) => [`${type}.${name}`, instances[0].attributes] as const),
  );
}

/** What the request asks for, and nothing else, signed by who was named. */
function wrongCertificates({ resource }: Code, attributes: Attributes): string[] {
  return Object.entries<any>(resource.tls_locally_signed_cert ?? {}).flatMap(([name, wanted]) => {
    const request = resource.tls_cert_request[name];
    if (request === undefined) {
      return [];
    }
    const { cert_pem: pem, ca_cert_pem: above } = attributes.get(`tls_locally_signed_cert.${name}`)!;
    const made = real(pem);
    const subject = request.subject[0] ?? request.subject;
    const asked: Readonly<Record<string, unknown>> = {
      commonName: subject.common_name,
      organization: subject.organization,
      sans: [...(request.dns_names ?? []), ...(request.ip_addresses ?? [])].sort(),
      uses: [...wanted.allowed_uses].sort(),
      hours: wanted.validity_period_hours,
      isAuthority: wanted.is_ca_certificate ?? false,
    };
    const has: Readonly<Record<string, unknown>> = {
      ...made,
      sans: [...made.sans].sort(),
      uses: [...made.uses].sort(),
    };
    const wrong = Object.keys(asked).filter((key) => JSON.stringify(asked[key]) !== JSON.stringify(has[key]));
    const issuer = new X509Certificate(above);
    const isSigned = made.x509.checkIssued(issuer) && made.x509.verify(issuer.publicKey);
    return [
      ...wrong.map((key) => `${name}: ${key} is ${JSON.stringify(has[key])}, not ${JSON.stringify(asked[key])}`),
      ...(isSigned ? [] : [`${name}: it is not signed by its authority`]),
    ];
  });
}

/** Terraform and `export` write the same. */
function wrongFiles(
  files: readonly (readonly [string, ClusterFile])[],
  { outputs }: any,
  attributes: Attributes,
): string[] {
  const lookup = ({ address, attribute }: { readonly address: string; readonly attribute: string }): string => {
    const value = attribute.split(".").reduce<any>((inner, key) => inner?.[key], attributes.get(address));
    if (typeof value !== "string") {
      throw new Error(`${address} has no ${attribute}`);
    }
    return value;
  };
  return files.flatMap(([name, { content }], index) => {
    const text = evaluate(content, lookup);
    const hash = createHash("sha256").update(text).digest("hex");
    // Text with a value that only Terraform knows has one reader here: its hash is Terraform's alone.
    const isLater = text.includes("${TfToken[");
    return outputs[`file-${index}`].value === hash || isLater ? [] : [`${name}: two readers, two texts`];
  });
}
