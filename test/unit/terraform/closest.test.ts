import { closest, didYouMean } from "../../../lib/terraform/closest";

const NAMES = ["apiserver", "apiserver-etcd-client", "apiserver-kubelet-client", "admin", "kubelet", "scheduler"];

test.each([
  ["apiserer", "apiserver"],
  ["apisrever", "apiserver"],
  ["APIServer", "apiserver"],
  ["api-server", "apiserver"],
  ["apiserverr", "apiserver"],
  ["schedular", "scheduler"],
  ["kublet", "kubelet"],
  ["apiserver_etcd_client", "apiserver-etcd-client"],
])("%s is %s", (given, meant) => {
  expect(closest(given, NAMES)).toBe(meant);
  expect(didYouMean(given, NAMES)).toBe(`did you mean "${meant}"?`);
});

test.each(["etcd", "front-proxy", "", "x".repeat(10_000)])("%.20s is none of them", (given) => {
  expect(closest(given, NAMES)).toBeUndefined();
  expect(didYouMean(given, NAMES)).toBeUndefined();
});

test("another number is another thing", () => {
  expect(closest("cp-9", ["cp-1", "cp-2"])).toBeUndefined();
  expect(closest("cp1", ["cp-1", "cp-2"])).toBe("cp-1");
});

test("of two that are as near, the first by name", () => {
  expect(closest("ba", ["bb", "aa"])).toBe("aa");
});
