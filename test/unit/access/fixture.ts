import { KubernetesProvider } from "@cdktf/provider-kubernetes/lib/provider";
import { RandomProvider } from "@cdktf/provider-random/lib/provider";
import { TimeProvider } from "@cdktf/provider-time/lib/provider";
import { TerraformStack } from "cdktf";
import { newApp } from "../../support/synth";
import { Distribution } from "../../../lib/kubernetes/distribution";

/** A stack with the providers that access needs. */
export function accessStack(app = newApp(), id = "prod-access"): TerraformStack {
  const stack = new TerraformStack(app, id);
  new KubernetesProvider(stack, "kubernetes");
  new RandomProvider(stack, "random");
  new TimeProvider(stack, "time");
  return stack;
}

/** A distribution that leaves nothing in the API server to anybody else. */
export const BARE = new Distribution({ ...Distribution.KUBEADM.table, name: "bare", access: { tokens: {} } });

/** What was thrown, as text. */
export function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}

/** A self-signed authority, of which only the certificate was kept. */
export const CA_PEM = `-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUPXzv2uQ6bwKzBlWpw2EIdxBejpMwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjIwMzUyMzRaGA8yMTI2MTAy
OTAzNTIzNFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABD2lZkNGPWwdqjiwWmfIyIu60oo8DKOMMboCQDSq6noS0U+851Y/
8Rh55a/DBekU2cpah0W3mqxWUFrYqykVKoSjYzBhMB0GA1UdDgQWBBTy9NwMfrWU
meZ53Pzo2sMxdCss/DAfBgNVHSMEGDAWgBTy9NwMfrWUmeZ53Pzo2sMxdCss/DAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNIADBF
AiBwiQtGCJEiNL4i9lXIG7FIiZu0cNAWkYiLjVM5kWFi+wIhANb3N4XfbI4et9ER
KTNqd1A4UCjewo8G9xHQE56MSv4E
-----END CERTIFICATE-----
`;

/** A certificate that is no authority. */
export const LEAF_PEM = `-----BEGIN CERTIFICATE-----
MIIBcjCCARigAwIBAgIUcKlzF2gx91FR7EHy+7ln4BAOmZQwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbGVhZjAgFw0yNjExMjIwMzUyMzRaGA8yMTI2MTAyOTAzNTIz
NFowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDtb
CSozAkDFKjFLCPMEuyRrmO/NpU62iQg5bvy1VrasL744aeLK4MaPXYNlbKr4Q8bu
LVjh2LqVddzZok+V3tujUDBOMB0GA1UdDgQWBBSAckQ9fhvyCZDDsNilADHsmxQ1
xjAfBgNVHSMEGDAWgBSAckQ9fhvyCZDDsNilADHsmxQ1xjAMBgNVHRMBAf8EAjAA
MAoGCCqGSM49BAMCA0gAMEUCIQDPNgT3vgIeK6cfE+6lKsrI1rC1iwBeOwj+7qtg
KB5eHgIgdWGdcCBqFtLbu2w2mAVuYSaWe3cST08puoGexWYPh/4=
-----END CERTIFICATE-----
`;
