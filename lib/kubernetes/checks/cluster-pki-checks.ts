import { Problems } from "../../errors";
import { checkMovedFrom, checkNamePart } from "../../terraform/names";
import { checkCertificateOptions, checkOrigin } from "../../x509/certificate";
import { checkGenerations, FIRST_GENERATION } from "../../x509/generation";
import { KeyUsage } from "../../x509/key-usage";
import { checkAltNames } from "../../x509/subject-alt-names";
import { checkCluster, checkUnresolved, type TextOf } from "./cluster-checks";
import { checkSubjectFields, clusterSubject } from "../cluster-subject";
import { checkTogether } from "./outside-checks";
import { checkAddedNames, checkProtectedNames } from "./protected-names";
import { checkRenewedNames } from "./renewed-names";
import type { DistributionTable } from "../table";
import { checkAuthorityKeys } from "./signer-checks";
import { checkEffects } from "./without-effect";
import type { ClusterPkiProps } from "../cluster-pki-props";
import { checkNames } from "./unknown-names";
import { checkUsers, clientAuthority, execOf, userName, usersOf } from "../users";

/** Finds everything that is wrong with the description of a cluster's PKI. */
export function checkClusterPki(
  props: ClusterPkiProps,
  prefix: string,
  table: DistributionTable,
  problems: Problems,
  textOf?: TextOf,
): void {
  checkPrefixes(props, prefix, problems);
  checkSwitches(props, problems);
  const ofNames = new Problems();
  checkCluster(props.cluster, table, ofNames, textOf);
  if (ofNames.none && areNames(props.certificates)) {
    // Names can be told apart once each of them is one.
    checkProtectedNames(props.cluster, table, ofNames);
    checkAddedNames(props, table, ofNames);
  }
  problems.addAll(ofNames);
  checkEffects(props, table, problems);
  checkNames(props.authorities, table.authorities, "authorities", problems);
  checkNames(props.certificates, table.certificates, "certificates", problems);
  checkAllGenerations(props, table, problems);
  checkTogether(props, table, problems, textOf);
  checkAuthorityKeys(props, table, problems);
  checkRenewedNames(props, table, problems);
  const ofSubject = new Problems();
  checkSubjectFields(props.subject, ofSubject);
  problems.addAll(ofSubject);
  props.validity?.checkLeaf("validity", problems);
  props.keyAlgorithm?.check("keyAlgorithm", problems);
  for (const [name, { authority }] of Object.entries(table.certificates)) {
    const choices = props.certificates?.[name] ?? {};
    const issuers = generationsOf(authority, props);
    checkCertificateOptions(choices, issuers, `certificates.${name}.`, problems, props.validity);
    checkAltNames(choices.extraSans ?? [], `certificates.${name}.extraSans`, problems);
  }
  checkUsersOfPki(props, table, problems, ofSubject.none);
}

/** Finds what is wrong with users, and with what is to be issued for them. */
function checkUsersOfPki(
  props: ClusterPkiProps,
  table: DistributionTable,
  problems: Problems,
  isSubjectRight: boolean,
): void {
  const ofUsers = new Problems();
  checkUsers(props.users ?? {}, table, ofUsers);
  problems.addAll(ofUsers);
  const issuers = generationsOf(clientAuthority(table), props);
  for (const [name, user] of usersOf(props.users)) {
    const at = `users.${name}`;
    if (Object.hasOwn(table.certificates, name)) {
      const allowed = "a name that no certificate of the cluster has";
      problems.add({ code: "name-twice", at, given: name, allowed, fix: "give it another, and this one as its user" });
    }
    if (execOf(user) === undefined) {
      const { keyAlgorithm, keyGeneration, validity } = user;
      checkCertificateOptions({ keyAlgorithm, keyGeneration, validity }, issuers, `${at}.`, problems, props.validity);
      if (ofUsers.none && isSubjectRight) {
        const fields = { commonName: userName(name, user), organization: user.group };
        const subject = clusterSubject(fields, props.subject);
        const { request, moreGroups: moreOrganizations } = user;
        const described = { request, moreOrganizations, keyAlgorithm, keyGeneration, subject, usage: KeyUsage.CLIENT };
        checkOrigin(described, problems, { before: `${at}.`, more: "moreGroups" });
      }
    }
  }
}

/** True where every name that was added to a certificate is one. */
function areNames(certificates: ClusterPkiProps["certificates"] = {}): boolean {
  const problems = new Problems();
  Object.values(certificates).forEach((choices) => checkAltNames(choices?.extraSans ?? [], "extraSans", problems));
  return problems.none;
}

function checkPrefixes({ addressPrefix, movedFrom }: ClusterPkiProps, prefix: string, problems: Problems): void {
  const at = addressPrefix === undefined ? "cluster.name" : "addressPrefix";
  checkNamePart("address-prefix", at, prefix, problems, "set addressPrefix to such a name");
  checkMovedFrom(movedFrom, prefix, problems);
}

/** An object that stands for a value of Terraform's would be a yes, whatever that is. */
function checkSwitches(
  { issueLeaves, deletionProtection, authorityKeysOnMachines }: ClusterPkiProps,
  problems: Problems,
): void {
  Object.entries({ issueLeaves, deletionProtection, authorityKeysOnMachines }).forEach(([at, value]) =>
    checkUnresolved(value, at, problems),
  );
}

function generationsOf(authority: string, { authorities = {} }: ClusterPkiProps) {
  return authorities[authority]?.generations ?? FIRST_GENERATION;
}

function checkAllGenerations(props: ClusterPkiProps, table: DistributionTable, problems: Problems): void {
  for (const [name, { issuer }] of Object.entries(table.authorities)) {
    const above = issuer === undefined ? undefined : generationsOf(issuer, props);
    checkGenerations(generationsOf(name, props), "authority", `authorities.${name}.generations`, problems, above);
  }
  const { generations = FIRST_GENERATION } = props.serviceAccount ?? {};
  checkGenerations(generations, "key pair", "serviceAccount.generations", problems);
}
