import { parseState } from "../../../lib/terraform-json/state";

function stateOf(rootModule: object, format = "1.0"): ReturnType<typeof parseState> {
  return parseState(JSON.stringify({ format_version: format, values: { root_module: rootModule } }), "a state");
}

describe("a state", () => {
  test("gives attributes of the root module and of the modules in it", () => {
    const child = { address: "module.a", resources: [{ address: "module.a.x.y", values: { id: "child" } }] };
    const state = stateOf({
      resources: [{ address: "x.y", values: { id: "root" } }],
      child_modules: [{ child_modules: [child] }],
    });
    expect(state.value({ address: "x.y", attribute: "id" })).toBe("root");
    expect(state.value({ address: "module.a.x.y", attribute: "id" })).toBe("child");
  });

  test("gives what is nested in an attribute, in objects and lists", () => {
    const state = stateOf({ resources: [{ address: "x.y", values: { output: { key: "k" }, certs: [{ pem: "p" }] } }] });
    expect(state.value({ address: "x.y", attribute: "output.key" })).toBe("k");
    expect(state.value({ address: "x.y", attribute: "certs.0.pem" })).toBe("p");
  });

  test("has no value where there is no text", () => {
    const state = stateOf({ resources: [{ address: "x.y", values: { id: null, count: 3, output: {} } }] });
    const attributes = ["id", "count", "output", "output.key", "toString", "output.constructor.name"];
    expect(attributes.map((attribute) => state.value({ address: "x.y", attribute }))).toEqual(
      attributes.map(() => undefined),
    );
  });

  test("gives the current object, not the deposed one of an interrupted replacement", () => {
    const current = { address: "x.y", values: { id: "new" } };
    const deposed = { address: "x.y", deposed_key: "0a1b2c3d", values: { id: "old" } };
    for (const resources of [
      [current, deposed],
      [deposed, current],
    ]) {
      expect(stateOf({ resources }).value({ address: "x.y", attribute: "id" })).toBe("new");
    }
  });

  test("is read from any format 1.x, whatever else stands in it", () => {
    const state = stateOf({ resources: [{ address: "x.y", values: { id: "a" }, news: [] }], news: {} }, "1.17");
    expect(state.value({ address: "x.y", attribute: "id" })).toBe("a");
  });
});
