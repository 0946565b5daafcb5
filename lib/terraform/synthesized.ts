import { DefaultTokenResolver, StringConcat, TerraformResource, Token, Tokenization } from "cdktf";

const RESOLVER = new DefaultTokenResolver(new StringConcat());

/** What cdktf keeps to its own: the arguments of a resource as its properties say them, and what escape hatches put over them. */
interface Attributes {
  readonly rawOverrides: { readonly lifecycle?: { readonly prevent_destroy?: boolean } };
  synthesizeAttributes(): Record<string, unknown>;
}

/**
 * Arguments of a resource by Terraform's names, as they will stand in the synthesized JSON: what an Aspect or an escape hatch made of
 * them is in here. Read it in a validation, in a lazy value or after `app.synth()`: before, it is not final.
 */
export function synthesized(resource: TerraformResource): Readonly<Record<string, unknown>> {
  const { rawOverrides, synthesizeAttributes } = resource as unknown as Attributes;
  if (Object.keys(rawOverrides).length === 0) {
    // What cdktf adds to these is no argument of the provider's, and takes three times as long.
    return synthesizeAttributes.call(resource);
  }
  const { resource: byType } = resource.toTerraform() as { resource?: Record<string, Record<string, object>> };
  return (byType?.[resource.terraformResourceType]?.[resource.friendlyUniqueId] ?? {}) as Record<string, unknown>;
}

/** A value with its tokens filled in, as far as synth knows them; what Terraform has to fill in stays an expression in `${}`. */
export function resolvedIn(resource: TerraformResource, value: unknown): unknown {
  if (Token.isUnresolved(value)) {
    return Tokenization.resolve(value, { scope: resource, resolver: RESOLVER, preparing: false });
  }
  // cdktf would look for tokens in everything, at many times the cost.
  return Array.isArray(value) ? value.map((item) => resolvedIn(resource, item)) : value;
}

/** True for text that only Terraform can fill in. */
export function isExpression(value: unknown): boolean {
  return typeof value === "string" && (Token.isUnresolved(value) || /(^|[^$])\$\{/.test(value));
}

/** True where Terraform will refuse every plan that would destroy a resource. */
export function preventsDestroy(resource: TerraformResource): boolean {
  const { rawOverrides } = resource as unknown as Attributes;
  return rawOverrides.lifecycle?.prevent_destroy ?? resource.lifecycle?.preventDestroy ?? false;
}
