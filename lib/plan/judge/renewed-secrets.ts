import { object, text } from "../../terraform-json/json";
import type { PlannedResource } from "../../terraform-json/plan";
import { objectName } from "../model/facts";
import type { PlanModel } from "../model/model";
import { filesOfEntry } from "../read/inventory";

/**
 * Tells of a Secret whether nothing happens to it but that what it holds is renewed. Terraform does not tell what will be in it: a plan says
 * of all its data that it is known after the apply. So the inventory has to have the Secret, and everything that the code puts into it has to
 * be in it already. Values are compared, and never shown.
 *
 * @returns from an address to whether that is so
 */
export function renewedSecrets(model: PlanModel): (address: string) => boolean {
  const { plan, entries } = model;
  const byAddress = new Map(plan.resources.map((resource) => [resource.address, resource]));
  const byConfigured = new Map<string, PlannedResource[]>();
  for (const resource of plan.resources) {
    const others = byConfigured.get(resource.configured) ?? [];
    others.push(resource);
    byConfigured.set(resource.configured, others);
  }
  const files = entries.inventories.flatMap((inventory) => inventory.entries.flatMap(filesOfEntry));
  const known = new Map<string, string[]>();
  for (const { path } of files.filter(({ kind }) => kind === "secret")) {
    const [secret, key] = path.split("#");
    known.set(secret!, [...(known.get(secret!) ?? []), key!]);
  }

  const holdsAlready = (secret: PlannedResource): boolean => {
    const data = object(secret.before?.data);
    const contents = Object.values(data).flatMap((value) => text(value) ?? []);
    const keys = known.get(`Secret/${objectName(secret, "before")}`);
    const references = plan.references.of(secret.configured, "data");
    return (
      keys !== undefined &&
      keys.every((key) => Object.hasOwn(data, key)) &&
      references.length > 0 &&
      plan.references.unresolved(secret.configured, "data").length === 0 &&
      references.every(({ address, attribute = "" }) =>
        (byConfigured.get(address) ?? []).some((resource) => {
          const value = text(resource.before?.[attribute]);
          return value !== undefined && contents.some((content) => holds(content, value.trim()));
        }),
      )
    );
  };
  return (address) => {
    const secret = byAddress.get(address);
    return secret !== undefined && isDataAlone(secret) && holdsAlready(secret);
  };
}

/** True where the data of an object is all that is another one. */
function isDataAlone({
  change,
  before = {},
  after = {},
  unknown,
  previousAddress,
  imported,
}: PlannedResource): boolean {
  const later = object(unknown);
  const names = new Set([...Object.keys(before), ...Object.keys(after), ...Object.keys(later)]);
  const others = [...names].filter(
    (name) => hasAny(later[name]) || JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return change === "update" && previousAddress === undefined && !imported && others.join() === "data";
}

/** True where a mask covers something. */
function hasAny(mask: unknown): boolean {
  return mask === true || (typeof mask === "object" && mask !== null && Object.values(mask).some(hasAny));
}

/** What is shorter stands in much by chance. */
const LEAST = 6;

/** True where a value stands in a text, as it is or in base64 with something before and after it. */
function holds(content: string, value: string): boolean {
  return value.length >= LEAST && [value, ...encodedIn(value)].some((form) => content.includes(form));
}

/** Base64 of a value within something longer: three forms, as one, two or no bytes of a group stand before it. */
function encodedIn(value: string): string[] {
  return [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
    // What stands before the value has a part in as many characters, and one more.
    return whole.toString("base64").slice(shift === 0 ? 0 : shift + 1);
  });
}
