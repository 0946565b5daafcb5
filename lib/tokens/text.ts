import { shortDuration, table } from "../terraform-json/columns";
import type { Tokens, TokenStatus } from "./tokens";

const HEADER = ["TOKEN ID", "TTL", "EXPIRES", "USAGES", "DESCRIPTION", "EXTRA GROUPS"];

/**
 * The table of `kubeadm token list`, with the id in place of the token.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/v1.36.3/cmd/kubeadm/app/cmd/token.go
 */
export function tokensText({ tokens }: Tokens): string {
  return table(HEADER, tokens.map(cellsOf));
}

function cellsOf({ id, ttl, expires, usages, description = "<none>", groups }: TokenStatus): string[] {
  const left = expires === undefined ? "<forever>" : ttl === undefined ? "<invalid>" : shortDuration(ttl);
  return [id, left, expires ?? "<never>", listed(usages), description, listed(groups)];
}

function listed(words: readonly string[]): string {
  return words.length > 0 ? words.join(",") : "<none>";
}
