import type { DataResource, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { problemText } from "../errors";
import { labelOf } from "../terraform/inventoried";
import { validateOnce } from "../terraform/registry";
import type { CertRequest } from "@cdktf/provider-tls/lib/cert-request";
import type { LocallySignedCert } from "@cdktf/provider-tls/lib/locally-signed-cert";
import { organizationsOf } from "./issued";
import { SYSTEM_MASTERS } from "./system-masters";

/** A certificate, as far as its subject goes. */
interface Requested extends IConstruct {
  readonly ownRequest?: CertRequest;
  readonly anchor: LocallySignedCert | DataResource;
}

/**
 * Looks after synth at every certificate of a stack, whatever authority signs it: nobody could limit or revoke one in `system:masters`,
 * and of those here no table says why it must be. One that an Aspect or an escape hatch made so is seen.
 */
export function refuseUnlistedMasters(
  stack: TerraformStack,
  isCertificate: (node: IConstruct) => node is Requested,
): void {
  validateOnce(stack, SYSTEM_MASTERS, () =>
    stack.node
      .findAll()
      .filter(isCertificate)
      .filter((node) => !isListed(node))
      .filter(({ ownRequest, anchor }) =>
        organizationsOf(ownRequest, anchor).some((group) => group.trim() === SYSTEM_MASTERS),
      )
      .map(({ node }) =>
        problemText({
          code: "system-masters",
          at: node.path,
          given: SYSTEM_MASTERS,
          allowed: "a group that RBAC can limit",
          fix: "use a group of your own and bind it, or the distribution's break-glass identity",
        }),
      ),
  );
}

function isListed(certificate: IConstruct): boolean {
  return labelOf(certificate)?.exceptions?.some(({ code }) => code === "system-masters") ?? false;
}
