import { Distribution } from "../../../lib";
import { consumerEntry } from "../../../lib/kubernetes/consumers";
import { actionText } from "../../../lib/plan/render/wording";
import { parseInventory } from "../../../lib/terraform-json/inventory";
import { componentsOf, KnownFiles } from "../../../lib/terraform-json/components";

const CURRENT = "/var/lib/kubelet/pki/kubelet-client-current.pem";

function kubeconfigOf({ table }: Distribution) {
  const [file] = table.certificates.kubelet!.files.filter(({ kind }) => kind === "kubeconfig");
  return { holder: "cp-1", path: file!.path, consumers: file!.consumers.map(consumerEntry) };
}

// cmd/kubelet/app/server.go of 1.36.3: where a kubelet renews its certificate, the store of --cert-dir counts, and the kubeconfig's
// certificate is what it starts that with.
test.each([
  [Distribution.KUBEADM, CURRENT],
  [Distribution.SINGLE_CA, CURRENT],
  [Distribution.k0s({ dataDir: "/data" }), "/data/kubelet/pki/kubelet-client-current.pem"],
])(
  "another kubeconfig of a kubelet counts once the certificate is gone that it renews itself",
  (distribution, file) => {
    const [effect] = componentsOf([kubeconfigOf(distribution)]);
    expect(effect).toMatchObject({ component: "kubelet", action: "restart", remove: [file] });
    expect(actionText(effect!, (path) => `<${path}>`)).toBe(`restart after removing <${file}>`);
  },
);

test("nothing is to be removed where the kubeconfig itself is gone: what is left is all that the kubelet has", () => {
  const [effect] = componentsOf([{ ...kubeconfigOf(Distribution.KUBEADM), isGone: true }]);
  expect(effect).toMatchObject({ component: "kubelet", action: "restart" });
  expect(effect).not.toHaveProperty("remove");
});

test("what an older inventory does not say is not lost beside a newer one", () => {
  const { holder, path, consumers } = kubeconfigOf(Distribution.KUBEADM);
  const older = consumers.map(({ prefers: _, ...consumer }) => consumer);
  const inventories = [consumers, older].map(
    (readers) =>
      ({
        stack: "pki",
        entries: [{ kind: "certificate", files: [{ holder, path, kind: "kubeconfig", consumers: readers }] }],
      }) as never,
  );
  for (const order of [inventories, [...inventories].reverse()]) {
    const known = new KnownFiles(order).of("", { holder, path })!;
    expect(componentsOf([{ ...known }])).toMatchObject([{ remove: [CURRENT] }]);
  }
});

test("K3s' kubelets renew none, and nothing is to be removed for a bundle", () => {
  const [bundle] = Distribution.KUBEADM.table.authorities.kubernetes!.files;
  const files = [
    kubeconfigOf(Distribution.K3S),
    { holder: "cp-1", path: bundle!.path, consumers: bundle!.consumers.map(consumerEntry) },
  ];
  const effects = componentsOf(files);
  expect(effects.filter(({ remove }) => remove !== undefined)).toEqual([]);
  const kubelet = effects.find(({ component, action }) => component === "kubelet" && action === "restart")!;
  expect(actionText(kubelet, String)).toBe("restart");
});

test("a worker that has no such kubeconfig keeps its certificate: it has joined with a token that may have ended", () => {
  const [bundle] = Distribution.KUBEADM.table.authorities.kubernetes!.files;
  const consumers = bundle!.consumers.map(consumerEntry);
  const files = ["cp-1", "worker"].map((holder) => ({ holder, path: bundle!.path, consumers }));
  const kubelets = componentsOf([...files, kubeconfigOf(Distribution.KUBEADM)]).filter(
    ({ component, action }) => component === "kubelet" && action === "restart",
  );
  expect(kubelets.map(({ holders, remove, files }) => [holders, remove, files])).toEqual([
    [["cp-1"], [CURRENT], ["/etc/kubernetes/kubelet.conf", "/etc/kubernetes/pki/ca.crt"]],
    [["worker"], undefined, ["/etc/kubernetes/pki/ca.crt"]],
  ]);
});

test.each([1, null, true, ["/x"]])("an inventory in which that is no path is none: %j", (prefers) => {
  const { holder, path, consumers } = kubeconfigOf(Distribution.KUBEADM);
  const text = (readers: unknown) =>
    JSON.stringify({
      schemaVersion: 2,
      stack: "pki",
      entries: [
        {
          kind: "certificate",
          name: "kubelet",
          addresses: [],
          files: [{ holder, path, kind: "kubeconfig", consumers: readers }],
        },
      ],
    });
  expect(() => parseInventory(text(consumers), "x")).not.toThrow();
  expect(() => parseInventory(text(consumers.map((reader) => ({ ...reader, prefers }))), "x")).toThrow(
    "is no inventory",
  );
});
