import type { Problems } from "../errors";
import { checkPlainText } from "../terraform/shape";
import { checkSubjects, type IRbacSubject } from "./rbac-subject";

/** What every binding has, in a namespace or in none. */
interface Binding {
  readonly name: string;
  readonly subjects: readonly IRbacSubject[];
  readonly adopt?: boolean;
}

/**
 * Finds what is wrong with a binding.
 *
 * @param roleProp which of its props names the role
 */
export function checkBinding(
  { name, subjects, adopt }: Binding,
  roleProp: "clusterRole" | "role",
  role: string,
  problems: Problems,
): void {
  checkPlainText(name, "name", problems);
  checkPlainText(role, roleProp, problems);
  // The API server accepts any segment of a path.
  if (name === "" || name === "." || name === ".." || /[/%]/.test(name)) {
    problems.add({
      code: "binding-name",
      at: "name",
      given: name,
      allowed: "a name without '/' and '%'",
      fix: "choose such a name",
    });
  } else if (name.startsWith("system:") && !adopt) {
    const fix = "choose another name: the API server resets bindings that have its own names at every start";
    problems.add({
      code: "binding-name-reserved",
      at: "name",
      given: name,
      allowed: "a name that does not start with system:",
      fix,
    });
  }
  if (role === "") {
    problems.add({
      code: "cluster-role",
      at: roleProp,
      given: role,
      allowed: roleProp === "role" ? "the name of a Role" : "the name of a ClusterRole",
      fix: "name it",
    });
  }
  if (subjects.length === 0) {
    problems.add({
      code: "binding-subjects",
      at: "subjects",
      given: "none",
      allowed: "at least one subject",
      fix: "add one, e.g. Group.named(…)",
    });
  }
  checkSubjects(subjects, roleProp === "clusterRole" ? role : "", "subjects", problems);
}
