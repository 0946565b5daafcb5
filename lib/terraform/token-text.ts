import { DefaultTokenResolver, StringConcat, Token, Tokenization } from "cdktf";
import type { IConstruct } from "constructs";

const RESOLVER = new DefaultTokenResolver(new StringConcat());

/**
 * What stands for a value in Terraform, by which two readings of one variable are known for the same: each of them is another token to
 * cdktf. A value that is known is itself, and so is one that cannot be said before synth.
 */
export function tokenText(scope: IConstruct, value: string): string {
  if (!Token.isUnresolved(value)) {
    return value;
  }
  try {
    const text = Tokenization.resolve(value, { scope, resolver: RESOLVER, preparing: false }) as unknown;
    return typeof text === "string" ? [text, ...originsOf(value)].join(" ") : value;
  } catch {
    return value;
  }
}

/** The stacks that tokens come from: what two stacks call by one name is not the same. */
function originsOf(value: string): string[] {
  return Tokenization.reverseString(value).tokens.map(
    (token) => (token as { originStack?: IConstruct }).originStack?.node.path ?? "",
  );
}
