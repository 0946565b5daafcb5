import { TerraformDataSource, TerraformElement, TerraformLocal, TerraformOutput, TerraformResource } from "cdktf";
import type { IConstruct } from "constructs";

/** The address that an element has, `<type>.<name>`; undefined for what is never pinned. Reading it fixes the name. */
export function addressOf(node: IConstruct): string | undefined {
  const type = TerraformElement.isTerraformElement(node) ? typeOf(node) : undefined;
  return type && `${type}.${(node as TerraformElement).friendlyUniqueId}`;
}

/** What stands before the name in an address, `data.` included; undefined for what is never pinned. */
export function typeOf(element: TerraformElement): string | undefined {
  if (TerraformDataSource.isTerraformDataSource(element)) {
    return `data.${element.terraformResourceType}`;
  }
  if (TerraformResource.isTerraformResource(element)) {
    return element.terraformResourceType;
  }
  if (TerraformOutput.isTerraformOutput(element)) {
    return "output";
  }
  return element instanceof TerraformLocal ? "local" : undefined;
}
