import { labelOf } from "../terraform/inventoried";
import { TerraformStack } from "cdktf";
import { problemText } from "../errors";
import { Certificate } from "../x509/certificate";
import { organizationsOf } from "../x509/issued";
import type { ClusterParts } from "./cluster-parts";
import { SYSTEM_MASTERS } from "./table-checks";

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

/**
 * Certificates of a stack that nobody could limit or revoke, and of which no table says why: those of a user, and those that an Aspect
 * or an escape hatch made so.
 */
export function unlistedMasters(stack: TerraformStack): string[] {
  return stack.node
    .findAll()
    .filter((node): node is Certificate => node instanceof Certificate && !isListed(node))
    .filter((certificate) => organizationsOf(certificate.request).includes(SYSTEM_MASTERS))
    .map(({ node }) =>
      problemText({
        code: "system-masters",
        at: node.path,
        given: SYSTEM_MASTERS,
        allowed: "a group that RBAC can limit",
        fix: "use a group of your own and bind it, or the distribution's break-glass identity",
      }),
    );
}

function isListed(certificate: Certificate): boolean {
  return labelOf(certificate)?.exceptions?.some(({ code }) => code === "system-masters") ?? false;
}
