export { addBlock, claimPrefix, pin, type BlockType, type Reference } from "./address";
export { Certificate, type CertificateOptions, type CertificateProps } from "./certificate";
export {
  CertificateAuthority,
  type AuthorityGeneration,
  type CertificateAuthorityProps,
  type ICertificateAuthority,
  type SigningGeneration,
} from "./certificate-authority";
export { Generation, type GenerationOptions, type Generations, type GenerationState } from "./generation";
export { KeyAlgorithm, type KeyAlgorithmArguments } from "./key-algorithm";
export { KeyPairRing, type KeyPairRingProps } from "./key-pair-ring";
export { KeyUsage } from "./key-usage";
export { type GenerationKeyPem, type GenerationPem } from "./pem";
export { type Key } from "./private-key";
export { Subject, type SubjectFields } from "./subject";
export { SubjectAltNames, type AltName, type TypedNames } from "./subject-alt-names";
export { TrustBundle } from "./trust-bundle";
export { Validity, type ValidityOptions } from "./validity";
export { expression, quoted } from "./expression";
