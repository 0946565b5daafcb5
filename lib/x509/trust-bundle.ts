import { Reference } from "./address";

/**
 * The certificates that a verifier trusts: every generation of an authority that is not retired, the active one first, then by
 * id. Each block ends with exactly one newline.
 *
 * Public: it may be read from another stack, which then gets it through an output of the owning stack.
 */
export class TrustBundle {
  public constructor(
    /** Where the certificates are in the state, in bundle order. */
    public readonly references: readonly Reference[],
    private readonly tokens: readonly (() => string)[],
  ) {}

  /** The bundle as PEM, a token that resolves in any stack. */
  public get pem(): string {
    return this.tokens.map((token) => token()).join("");
  }
}
