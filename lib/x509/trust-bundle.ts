import { ref, TerraformStack, Token } from "cdktf";
import { Reference } from "../terraform/reference";

/**
 * The certificates that a verifier trusts: every generation of an authority that is not retired, the active one first, then by
 * id, each followed by the certificates above it, and each certificate once. Each block ends with exactly one newline.
 *
 * Public: it may be read from another stack, which then gets it through an output of the owning stack.
 */
export class TrustBundle {
  public constructor(
    /** Where the certificates are in the state, in bundle order. */
    public readonly references: readonly Reference[],
    /** The stack that owns them. */
    private readonly stack: TerraformStack,
    /** Whether the active authority is below others: it did not sign itself, or nobody can tell because its PEM is unresolved. */
    public readonly belowRoot: boolean,
    /** PEM of the last certificate above the active authority, where it is known at synth. */
    public readonly literalRoot?: string,
  ) {}

  /** False where its text would go through an output of another stack. */
  public isIn(stack: TerraformStack): boolean {
    return this.stack === stack;
  }

  /** The bundle as PEM, a token that resolves in any stack. */
  public get pem(): string {
    const token = ({ address, attribute }: Reference) => Token.asString(ref(`${address}.${attribute}`, this.stack));
    return this.references.map(token).join("");
  }
}
