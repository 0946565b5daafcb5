import { DefaultTokenResolver, StringConcat, Tokenization } from "cdktf";
import type { IConstruct } from "constructs";

const RESOLVER = new DefaultTokenResolver(new StringConcat());

/**
 * What unresolved text is to Terraform, as far as that is known while constructs are made. Each reading of a variable makes a token of
 * its own; both are `${var.name}`. For comparing alone: a later change may make another text of it.
 */
export function tokenText(scope: IConstruct): (token: string) => string {
  return (token) => {
    try {
      return JSON.stringify(Tokenization.resolve(token, { scope, resolver: RESOLVER, preparing: false }));
    } catch {
      // A lazy value that cannot be had yet is nobody else's.
      return token;
    }
  };
}
