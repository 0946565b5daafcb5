import { TerraformOutput } from "cdktf";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { type Content, evaluate, toTerraform } from "../../lib";
import { Workspace } from "../e2e/workspace";
import { attempt } from "../sandbox/command";
import { askedOf, differences, type Facts } from "./asked";
import { type Certificate, certificateIn, issuerOf } from "./certificate";
import { build, type Drawn } from "./descriptions";
import { wrongServer } from "./oracle";
import { canonical } from "./values";

/* eslint-disable @typescript-eslint/no-explicit-any -- it looks anywhere into the JSON */

/** Descriptions in one state: an apply writes all of it after every resource. */
const IN_ONE_STATE = 10;

const STACK = "fuzz";

/** What was really made of descriptions, and what of it is not as it was asked for. */
export interface Applied {
  readonly descriptions: number;
  /** Those of authorities included. */
  readonly certificates: number;
  readonly files: number;
  readonly kubeconfigs: number;
  readonly faults: readonly string[];
}

/** Applies descriptions with the real Terraform, and reads with another parser what came of them. */
export async function applied(descriptions: readonly Drawn[]): Promise<Applied> {
  const found = { certificates: 0, files: 0, kubeconfigs: 0, faults: [] as string[] };
  for (let from = 0; from < descriptions.length; from += IN_ONE_STATE) {
    const batch = descriptions
      .slice(from, from + IN_ONE_STATE)
      .map((one, index): Drawn => ({ ...one, name: `${one.name}-f${index}` }));
    const { certificates, files, kubeconfigs, faults } = await applyAll(batch);
    found.certificates += certificates;
    found.files += files;
    found.kubeconfigs += kubeconfigs;
    found.faults.push(...faults);
  }
  return { descriptions: descriptions.length, ...found };
}

/** A file, or a key of a Secret. */
interface Made {
  readonly drawn: Drawn;
  /** Who holds it, or the Secret. */
  readonly holder: string;
  readonly path: string;
  readonly content: Content;
}

async function applyAll(batch: readonly Drawn[]): Promise<Omit<Applied, "descriptions">> {
  const workspace = await Workspace.create();
  const made: Made[] = [];
  try {
    workspace.synth(STACK, (stack) => {
      for (const drawn of batch) {
        const pki = build(stack, drawn);
        const holders = [...pki.machines, "worker", "operator"];
        made.push(
          ...holders.flatMap((holder) => pki.files(holder).map((file) => ({ drawn, holder, ...file }))),
          ...pki.secrets.flatMap(({ name: holder, data }) =>
            Object.entries(data).map(([key, content]) => ({ drawn, holder, path: key, content })),
          ),
        );
      }
      made.forEach(({ content }, index) => {
        new TerraformOutput(stack, `file-${index}`, { value: toTerraform(content), sensitive: true });
      });
    });
    await workspace.apply(STACK);
    const state = JSON.parse(readFileSync(workspace.state(STACK), "utf8"));
    const attributes = attributesOf(state);
    const certificates = certificatesIn(attributes);
    const files = made.map(({ content, ...file }, index): File => {
      const text = state.outputs[`file-${index}`].value;
      return { ...file, text, differs: isAnother(text, content, attributes) };
    });
    const kubeconfigs = files.filter(({ text }) => text.startsWith("apiVersion: v1\nclusters:"));
    return {
      certificates: certificates.size,
      files: files.length,
      kubeconfigs: kubeconfigs.length,
      faults: [
        ...wrongCertificates(batch, certificates),
        ...(await unverified(workspace.folder, certificates)),
        ...files.flatMap(({ path: at, holder, differs }) =>
          differs ? [`${holder} ${at}: two readers, two texts`] : [],
        ),
        ...wrongPairs(files),
        ...kubeconfigs.flatMap((file) => wrongKubeconfig(file, certificates)),
      ],
    };
  } catch (error) {
    const names = batch.map((drawn) => JSON.stringify(drawn)).join("\n");
    const faults = [`it cannot be applied: ${String(error).slice(0, 3000)}\n${names}`];
    return { certificates: 0, files: 0, kubeconfigs: 0, faults };
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

type Certificates = ReadonlyMap<string, Certificate>;

function certificatesIn(attributes: Attributes): Certificates {
  const made = [...attributes].filter(([address]) => /^tls_(locally|self)_signed_cert\./.test(address));
  return new Map(made.map(([address, { cert_pem: pem }]) => [address.split(".")[1]!, certificateIn(pem)]));
}

/** Extensions that a certificate of a cluster may have: identifiers of keys, usages, names and constraints. */
const EXTENSIONS = ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37"];

/** What was asked for, and nothing else, signed by who was asked to. */
function wrongCertificates(batch: readonly Drawn[], certificates: Certificates): string[] {
  const asked = new Map(batch.flatMap((drawn) => [...askedOf(drawn)]));
  const found = new Map(
    [...certificates].map(([name, one]): [string, Facts] => {
      const { subject, names, uses, seconds, isAuthority, algorithm } = one;
      const issuer = issuerOf(one, certificates) ?? "nobody";
      return [name, { subject, names, uses, seconds, isAuthority, algorithm, issuer }];
    }),
  );
  const more = [...certificates].flatMap(([name, one]) => {
    const issuer = certificates.get(found.get(name)!.issuer);
    const unknown = one.extensions.filter((id) => !EXTENSIONS.includes(id));
    return [
      ...unknown.map((id) => `${name}: nobody asked for its extension ${id}`),
      ...(issuer && !issuer.isAuthority ? [`${name}: who signed it is no authority`] : []),
      ...(issuer && one.end > issuer.end ? [`${name}: it ends after its authority`] : []),
      ...(issuer && one !== issuer && one.authorityKey !== issuer.subjectKey ? [`${name}: it names another key`] : []),
    ];
  });
  return [...differences(asked, found), ...more];
}

/** What openssl says of each, as its verifier and for what it is, in one call for all that one authority signed. */
async function unverified(folder: string, certificates: Certificates): Promise<string[]> {
  const leaves = [...certificates].filter(([, { isAuthority }]) => !isAuthority);
  const fileOf = (name: string) => path.join(folder, `${name}.pem`);
  certificates.forEach(({ x509 }, name) => writeFileSync(fileOf(name), x509.toString()));
  const faults: string[] = [];
  for (const [purpose, use] of [
    ["sslserver", "server_auth"],
    ["sslclient", "client_auth"],
  ] as const) {
    const byIssuer = new Map<string | undefined, string[]>();
    for (const [name, one] of leaves.filter(([, { uses }]) => uses.includes(use))) {
      const issuer = issuerOf(one, certificates);
      byIssuer.set(issuer, [...(byIssuer.get(issuer) ?? []), fileOf(name)]);
    }
    for (const [issuer, files] of byIssuer) {
      const trusted = ["-CAfile", issuer === undefined ? "/dev/null" : fileOf(issuer), "-no-CApath"];
      const { code, stdout, stderr } = await attempt("openssl", ["verify", ...trusted, "-purpose", purpose, ...files]);
      faults.push(...(code === 0 ? [] : [`openssl verify -purpose ${purpose}: ${stdout}${stderr}`]));
    }
  }
  return faults;
}

/** A file with its text. */
interface File extends Omit<Made, "content"> {
  readonly text: string;
  /** Whether `export` would write another. */
  readonly differs: boolean;
}

/** Whether Terraform and `export` write different texts. */
function isAnother(text: string, content: Content, attributes: Attributes): boolean {
  const lookup = ({ address, attribute }: { readonly address: string; readonly attribute: string }): string => {
    const value = attribute.split(".").reduce<any>((inner, key) => inner?.[key], attributes.get(address));
    if (typeof value !== "string") {
      throw new Error(`${address} has no ${attribute}`);
    }
    return value;
  };
  const written = evaluate(content, lookup);
  // Text with a value that only Terraform knows has one reader here.
  return written !== text && !written.includes("${TfToken[");
}

/** How the file of a key is called beside that of its certificate, or of its public key. */
const KEY_FILES: readonly (readonly [RegExp, string])[] = [
  [/\.(crt|pub)$/, ".key"],
  [/\.pem$/, "-key.pem"],
];

/** A certificate beside a key is the key's. */
function wrongPairs(files: readonly File[]): string[] {
  const texts = new Map(files.map(({ drawn, holder, path: at, text }) => [`${drawn.name} ${holder} ${at}`, text]));
  const publicKey = (text: string) => createPublicKey(text).export({ type: "spki", format: "der" });
  return [...texts].flatMap(([at, text]) =>
    KEY_FILES.flatMap(([ending, ofKey]) => {
      const key = ending.test(at) ? texts.get(at.replace(ending, ofKey)) : undefined;
      return key === undefined || publicKey(text).equals(publicKey(key)) ? [] : [`${at}: the key beside it is another`];
    }),
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** It leads to an API server that has its name, trusts who signed that, and shows a certificate of who holds it. */
function wrongKubeconfig({ drawn, holder, path: at, text }: File, certificates: Certificates): string[] {
  const where = `${drawn.name} ${holder} ${at}`;
  const { clusters, users, contexts, "current-context": current } = parse(text);
  const { context } = contexts.find(({ name }: any) => name === current);
  const { cluster } = clusters.find(({ name }: any) => name === context.cluster);
  const { user } = users.find(({ name }: any) => name === context.user);
  const decoded = (base64: string) => Buffer.from(base64, "base64").toString("utf8");
  const trusted = decoded(cluster["certificate-authority-data"])
    .match(CERTIFICATE)!
    .map((pem) => new X509Certificate(pem));

  const named = (machine: string, certificate: string) =>
    certificates.get(`${drawn.name}__${machine.replaceAll(".", "_")}__${certificate}`);
  const servers = drawn.controlPlanes.flatMap(({ name }) => {
    const one = named(name, "apiserver");
    return one === undefined ? [] : [[name, one] as const];
  });
  const names = new Map(
    servers.map(([name, { x509 }]) => [
      name,
      x509.subjectAltName!.split(", ").map((text) => canonical(text.replace(/^(DNS|IP Address):/, ""))),
    ]),
  );
  const strangers = servers.filter(
    ([, { x509 }]) => !trusted.some((one) => x509.checkIssued(one) && x509.verify(one.publicKey)),
  );

  const shown = new X509Certificate(decoded(user["client-certificate-data"]));
  const [owner] = [...certificates].find(([, { x509 }]) => x509.raw.equals(shown.raw)) ?? ["nobody"];
  const isOwn = owner.startsWith(`${drawn.name}__${holder.replaceAll(".", "_")}__`);
  const isPair = shown.checkPrivateKey(createPrivateKey(decoded(user["client-key-data"])));
  return [
    ...wrongServer(cluster.server, holder, names, drawn, where),
    ...strangers.map(([name]) => `${where}: it does not trust the API server of ${name}`),
    ...(isOwn ? [] : [`${where}: it shows the certificate of ${owner}`]),
    ...(isPair ? [] : [`${where}: its key is not its certificate's`]),
  ];
}
