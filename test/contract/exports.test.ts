import * as library from "../../lib";
import { expectGolden, lines } from "../support/golden";

test("what the library exports at run time", () => {
  const exported = Object.entries(library).map(([name, value]) => {
    const isClass = typeof value === "function" && value.toString().startsWith("class");
    return `${isClass ? "class" : typeof value} ${name}`;
  });
  expectGolden("exports.txt", lines(exported.sort()));
});
