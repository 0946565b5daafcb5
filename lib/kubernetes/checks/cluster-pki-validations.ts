import { TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { Certificate } from "../../x509/certificate";
import type { ClusterParts } from "../cluster-parts";
import { protectedNamesIn } from "./protected-names";

/** Where the distribution breaks a rule of this library with what Terraform issues, and why. */
export function exceptionWarnings({ table, leaves }: ClusterParts): string[] {
  const { authorities, keyPairs, certificates } = table;
  const issued = new Set(leaves.map(({ name }) => name));
  const rows = [
    ...Object.entries(authorities),
    ...Object.entries(keyPairs),
    ...Object.entries(certificates).filter(([name]) => issued.has(name)),
  ];
  return rows.flatMap(([name, { exceptions = [] }]) =>
    exceptions.map(({ code, reason }) => `[${code}] ${name}: ${reason}`),
  );
}

/** Certificates of a user with names of the cluster's own servers and clients, wherever in the stack they are. */
export function namesOfOthers(pki: Construct & { readonly parts: ClusterParts }): string[] {
  const certificates = TerraformStack.of(pki)
    .node.findAll()
    .filter((node): node is Certificate => node instanceof Certificate);
  return protectedNamesIn(certificates, pki.parts);
}
