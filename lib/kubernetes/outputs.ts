import { deferred } from "../terraform/deferred";
import { TerraformOutput, Token } from "cdktf";
import { Construct } from "constructs";
import { inventoried, saidBy } from "../terraform/inventoried";
import { jsonText } from "../terraform/json-text";
import { certificatesOutput, filesOutput, fingerprintsOutput, GUARDS, title } from "../terraform/names";
import { pin } from "../terraform/pin";
import { sansOf } from "../x509/issued";
import { type ClusterFile, publishedFile } from "./cluster-file";
import { type ExceptionalRow, exceptionsOf } from "./cluster-inventory";
import { hoursForNodes } from "./cluster";
import type { ClusterParts } from "./cluster-parts";
import { consumerEntry } from "./consumers";
import { referencesIn } from "./content-readers";

// What is known at plan and what is not stand in outputs of their own: Terraform shows what changes inside the first.

/** Files by who holds them. */
export type FileLists = Readonly<Record<string, readonly ClusterFile[]>>;

function textOfFiles(files: readonly ClusterFile[]): string {
  return jsonText(Object.fromEntries(files.map((file) => [file.path, publishedFile(file)])));
}

/**
 * Publishes the files of a part as the output `<prefix>_files`, from which `kubernetes-pki export` writes them: holder → JSON text.
 *
 * @param files asked for at synth where they are a function, which returns another list when something was added to it
 */
export function publishFiles(scope: Construct, prefix: string, files: FileLists | (() => FileLists)): TerraformOutput {
  const listed = typeof files === "function" ? files : () => files;
  const known = new Map<readonly ClusterFile[], string>();
  const textOf = (list: readonly ClusterFile[]) => {
    const text = known.get(list) ?? textOfFiles(list);
    known.set(list, text);
    return text;
  };
  const texts = () => mapValues(listed(), textOf);
  const output = new TerraformOutput(scope, "Files", {
    // To prepare a stack, cdktf looks for what comes from other stacks: much text, most of it in vain.
    value: deferred((preparing) =>
      preparing ? Object.values(texts()).filter((text) => Token.isUnresolved(text)) : texts(),
    ),
    description: "Files of each holder, as references into this state",
  });
  pin(output, filesOutput(prefix), "addressPrefix");
  inventoried(output, {
    files: () =>
      Object.entries(listed()).flatMap(([holder, list]) =>
        list.map(({ path, kind, consumers, content }) => ({
          holder,
          path,
          kind,
          consumers: consumers.map(consumerEntry),
          addresses: referencesIn(content).map(({ address }) => address),
        })),
      ),
  });
  return output;
}

/**
 * Publishes what is known at plan of every certificate as the output `<prefix>_certificates`, so that a plain plan says in clear what it
 * changes: JSON text of where each generation stands, by authority and key pair, of what keeps them from being lost and what the table is
 * allowed, and of alternative names, by holder and certificate.
 */
export function publishCertificates(scope: Construct, prefix: string, parts: ClusterParts): void {
  const { authorities, keyPairs, leaves } = parts;
  const states = (parts: ReadonlyMap<string, { readonly generations: Record<string, { readonly state: string }> }>) =>
    Object.fromEntries(
      [...parts].map(([name, { generations }]) => [name, mapValues(generations, ({ state }) => state)]),
    );
  const value = () => {
    const named: Record<string, Record<string, readonly string[]>> = {};
    for (const { holder, name, certificate } of leaves) {
      const sans = sansOf(certificate.ownRequest, certificate.anchor);
      if (sans.length > 0) {
        (named[holder.name] ??= {})[name] = sans;
      }
    }
    const known = { ca: states(authorities), keys: states(keyPairs), [GUARDS]: guardsIn(parts) };
    return mapValues({ ...known, ...named }, jsonText);
  };
  const output = new TerraformOutput(scope, "Certificates", {
    // Names are final after Aspects. What they refer to in other stacks is found where they stand.
    value: deferred((preparing) => (preparing ? {} : value())),
    description: "Where each generation stands, and the alternative names of each certificate that has any",
  });
  pin(output, certificatesOutput(prefix), "addressPrefix");
}

/** What the state has to remember, so that the next plan tells when it is taken away. Empty where all is as it should be. */
function guardsIn({ table, cluster, authorities, keyPairs }: ClusterParts): PublishedGuards {
  const generations = [...authorities, ...keyPairs].flatMap(([name, part]) =>
    (saidBy(part).guards?.() ?? []).map((guards) => ({ ...guards, name })),
  );
  const titles = (of: "unprotected" | "pinned") => generations.filter((generation) => generation[of]).map(title);
  const rows = [table.authorities, table.keyPairs, table.certificates].flatMap((part) =>
    Object.entries<ExceptionalRow>(part),
  );
  const exceptions = rows.map(([name, row]) => [name, exceptionsOf(row).map(({ code }) => code)] as const);
  const signing = Object.entries(table.authorities).flatMap(([name, row]) => {
    const hours = hoursForNodes(row, cluster);
    return hours === undefined ? [] : [[name, hours] as const];
  });
  const lists = { unprotected: titles("unprotected"), pinned: titles("pinned") };
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(exceptions.some(([, codes]) => codes.length > 0)
      ? { exceptions: Object.fromEntries(exceptions.filter(([, codes]) => codes.length > 0)) }
      : {}),
    ...(signing.length > 0 ? { signsNodesFor: Object.fromEntries(signing) } : {}),
  };
}

/** Publishes the fingerprints of public keys as the output `<prefix>_fingerprints`, by title: `kubernetes g1`. */
export function publishFingerprints(scope: Construct, prefix: string, { authorities, keyPairs }: ClusterParts): void {
  const found = [...authorities, ...keyPairs].flatMap(([name, { fingerprints }]) =>
    Object.entries(fingerprints).map(([generation, fingerprint]) => [title({ name, generation }), fingerprint]),
  );
  const output = new TerraformOutput(scope, "Fingerprints", {
    value: Object.fromEntries(found),
    description: "Fingerprints of public keys, to be written into the generations that have them",
  });
  pin(output, fingerprintsOutput(prefix), "addressPrefix");
}

/** Titles of generations, codes of exceptions by row, and hours by authority; each missing where there are none. */
interface PublishedGuards {
  readonly unprotected?: readonly string[];
  readonly pinned?: readonly string[];
  readonly exceptions?: Readonly<Record<string, readonly string[]>>;
  readonly signsNodesFor?: Readonly<Record<string, number>>;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
