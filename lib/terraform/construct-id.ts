import { Token } from "cdktf";
import { Construct } from "constructs";
import { Problems, Words, wordsFor } from "../errors";

/**
 * A construct's id, looked at before `super`: the base class would say less, or nothing.
 *
 * @throws PkiError when there is no scope, or no construct could be called so
 */
export function constructId(scope: Construct, id: string): string {
  const problems = new Problems();
  const isScope = Construct.isConstruct(scope);
  if (!isScope) {
    const fix = "give the construct that it stands in: a TerraformStack, or one below";
    const given = new Words(wordsFor(scope));
    problems.add({ code: "wrong-type", at: "scope", given, allowed: "a construct", fix });
  }
  checkConstructId(id, "id", problems);
  problems.throwIfAny(isScope ? scope.node.path : "a construct without a scope");
  return id;
}

/** Finds an id that no construct may have. */
export function checkConstructId(id: unknown, at: string, problems: Problems): void {
  if (typeof id !== "string") {
    const given = new Words(wordsFor(id));
    problems.add({ code: "construct-id", at, given, allowed: "text", fix: "name the construct" });
  } else if (id === "" || Token.isUnresolved(id)) {
    const allowed = "text that is known at synth, at least one character";
    problems.add({ code: "construct-id", at, given: id, allowed, fix: "write it in the code" });
  }
  checkInherited(id, at, problems);
}

/** Finds a name that every object of JavaScript has already: constructs keeps the children of each in an object. */
export function checkInherited(id: unknown, at: string, problems: Problems): void {
  if (typeof id === "string" && id in Object.prototype) {
    const allowed = "a name that is not one of JavaScript's own for all objects";
    const fix = "choose another: constructs keeps its children in an object";
    problems.add({ code: "construct-id", at, given: id, allowed, fix });
  }
}
