import {
  ClusterAccess,
  ClusterPki,
  Distribution,
  evaluate,
  inventoryOf,
  KeyAlgorithm,
  type Reference,
  type UserAccess,
  type Users,
  Validity,
} from "../../../lib";
import { ONE, pkiOf } from "../../support/cluster";
import { DISTRIBUTIONS } from "../../contract/cases";
import { filesIn } from "../../support/graph";
import { newApp, newStack, problemsOf, synthApp, terraformOf } from "../../support/synth";
import { requestOf } from "../../support/requests";
import { accessStack, CA_PEM } from "../access/fixture";

const SHORT = Validity.hours(12);
const VIEW = [{ clusterRole: "view" }];
const JANE: UserAccess = { validity: SHORT, grants: VIEW };
const LOGIN = { command: "kubelogin", args: ["get-token"], env: { TENANT: "prod" }, installHint: "ask the platform" };

const lookup = ({ address, attribute }: Reference) => `${address} ${attribute}`;
const codes = (users: Users) =>
  problemsOf(() => pkiOf({}, { users })).map(({ code, at, given }) => `${code} ${at} ${given}`);
const textOf = (users: Users, path: string) => {
  const { pki } = pkiOf({}, { users });
  return evaluate(pki.files("operator").find((file) => file.path === path)!.content, lookup);
};

describe("a user's certificate", () => {
  test("has the user as CN, the group as O, its own validity and key, and signs in alone", () => {
    const users = { jane: { ...JANE, group: "platform-engineers", keyAlgorithm: KeyAlgorithm.ECDSA_P384 } };
    const { resource } = terraformOf(pkiOf({}, { users }).stack);
    const name = "pki__operator__jane";
    expect(resource.tls_cert_request[name].subject).toEqual([
      { common_name: "jane", organization: "platform-engineers" },
    ]);
    expect(resource.tls_private_key[name]).toMatchObject({ ecdsa_curve: "P384" });
    expect(resource.tls_locally_signed_cert[name]).toMatchObject({
      allowed_uses: ["digital_signature", "client_auth"],
      ca_cert_pem: "${tls_self_signed_cert.pki__ca__kubernetes__g1.cert_pem}",
      validity_period_hours: 12,
      early_renewal_hours: 4,
    });
  });

  test("has the user's own name where that is another one", () => {
    const users = { jane: { ...JANE, user: "jane@example.com" } };
    const { stack } = pkiOf({}, { users });
    const requests = terraformOf(stack).resource.tls_cert_request;
    expect(requests["pki__operator__jane"].subject).toEqual([{ common_name: "jane@example.com" }]);
    expect(inventoryOf(stack).entries.find(({ name }) => name === "jane")).toMatchObject({
      kind: "certificate",
      holder: "operator",
      subject: "CN=jane@example.com",
      purpose: "client of the API server for a user",
      files: [{ holder: "operator", path: "/users/jane.conf", kind: "kubeconfig" }],
    });
  });

  test.each(DISTRIBUTIONS.map((distribution) => [distribution.table.name, distribution] as const))(
    "is signed by the authority of other kubeconfigs with %s",
    (_, distribution) => {
      const cluster = distribution === Distribution.CLUSTER_API ? { controlPlanes: [] } : {};
      const { pki } = pkiOf(cluster, { distribution, users: { jane: JANE } });
      const { authority } = pki.parts.leaves.find(({ name }) => name === "jane")!;
      const own = Object.values(pki.parts.table.certificates).find((row) =>
        row.files.some(({ kind }) => kind === "kubeconfig"),
      );
      expect(pki.parts.authorities.get(own?.authority ?? pki.parts.table.apiServerAuthority)).toBe(authority);
    },
  );
});

describe("a user's kubeconfig", () => {
  test("has certificate and key inline", () => {
    const text = textOf({ jane: JANE }, "/users/jane.conf");
    expect(text).toContain("    client-certificate-data: ");
    expect(text).toContain("    client-key-data: ");
    expect(text).toContain("current-context: jane@prod\n");
    const { pki } = pkiOf({}, { users: { jane: JANE } });
    expect(evaluate(pki.kubeconfig("jane" as never), lookup)).toBe(text);
    expect(pki.files("operator").find(({ path }) => path === "/users/jane.conf")).toMatchObject({ mode: "0600" });
  });

  test("names files beside it, which are exported, too", () => {
    const users: Users = { jane: { ...JANE, kubeconfig: "files" } };
    expect(textOf(users, "/users/jane.conf")).toContain(
      "  user:\n    client-certificate: jane.crt\n    client-key: jane.key\n",
    );
    expect(textOf(users, "/users/jane.crt")).toBe("tls_locally_signed_cert.pki__operator__jane cert_pem");
    expect(textOf(users, "/users/jane.key")).toBe("tls_private_key.pki__operator__jane private_key_pem");
    const files = filesIn(terraformOf(pkiOf({}, { users }).stack), "pki")["operator"]!;
    expect(files["/users/jane.key"]).toMatchObject({ mode: "0600" });
  });

  test("names a program, for which nothing is issued", () => {
    const users: Users = { jane: { user: "jane@example.com", grants: VIEW, kubeconfig: LOGIN } };
    const text = textOf(users, "/users/jane.conf");
    const [, json] = /^ {4}exec: (.*)$/m.exec(text)!;
    expect(JSON.parse(json!)).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      args: ["get-token"],
      command: "kubelogin",
      env: [{ name: "TENANT", value: "prod" }],
      installHint: "ask the platform",
      interactiveMode: "IfAvailable",
    });
    expect(text).toContain("users:\n- name: jane@example.com\n");
    const { resource } = terraformOf(pkiOf({}, { users }).stack);
    expect(Object.keys(resource.tls_private_key).some((name) => name.includes("jane"))).toBe(false);
  });
});

describe("a user whose key Terraform never sees", () => {
  const { csr } = requestOf({ subject: "/O=engineers/O=on-call/OU=Berlin/CN=kim" });
  const KIM: UserAccess = { ...JANE, group: "engineers", moreGroups: ["on-call"], request: csr };
  const subject = { organizationalUnit: "Berlin" };
  const pki = (kim: Partial<UserAccess> = {}) =>
    pkiOf({}, { subject, keyAlgorithm: KeyAlgorithm.RSA_2048, users: { kim: { ...KIM, ...kim } } });

  test("gets a kubeconfig that names the file of the key", () => {
    const text = evaluate(pki().pki.kubeconfig("kim" as never), lookup);
    expect(text).toMatch(/ {2}user:\n {4}client-certificate-data: \S+\n {4}client-key: kim.key\n$/);
    const files = pki({ kubeconfig: "files" })
      .pki.files("operator")
      .map(({ path }) => path);
    expect(files.filter((path) => path.includes("kim"))).toEqual(["/users/kim.conf", "/users/kim.crt"]);
  });

  test("has a certificate of the request, and no key in the state", () => {
    const { stack } = pki();
    const { resource, output } = terraformOf(stack);
    expect(resource.tls_locally_signed_cert.pki__operator__kim.cert_request_pem).toBe(csr);
    expect(Object.keys(resource.tls_private_key).filter((name) => name.includes("kim"))).toEqual([]);
    expect(JSON.stringify(output)).not.toContain("kim.private_key");
    expect(inventoryOf(stack).entries.find(({ name }) => name === "kim")).toMatchObject({
      subject: "CN=kim, O=engineers, O=on-call, OU=Berlin",
      keyAlgorithm: "ECDSA-P256",
    });
    // What looks through keys of the cluster does not stop at one that is none.
    pkiOf({}, { subject, users: { kim: KIM } }).pki.addFile("operator", { path: "/note", content: "text" });
  });

  test.each<[Partial<UserAccess>, string]>([
    [{ moreGroups: [] }, 'request-subject users.kim.request "CN=kim, O=engineers, O=on-call, OU=Berlin"'],
    [{ user: "joe" }, 'request-subject users.kim.request "CN=kim, O=engineers, O=on-call, OU=Berlin"'],
    [{ request: undefined }, 'organizations users.kim.moreGroups "on-call"'],
    [{ moreGroups: ["system:masters"] }, 'user-name users.kim.moreGroups[0] "system:masters"'],
    [{ keyGeneration: "k2" }, 'key-generation users.kim.keyGeneration "k2"'],
    [
      { kubeconfig: LOGIN, validity: undefined, group: undefined, moreGroups: undefined },
      'user-credentials users.kim "request"',
    ],
  ])("is refused as %j", (kim, problem) => {
    expect(problemsOf(() => pki(kim)).map(({ code, at, given }) => `${code} ${at} ${given}`)).toEqual([problem]);
  });
});

describe("one description", () => {
  const users: Users = {
    jane: {
      ...JANE,
      user: "jane@example.com",
      grants: [
        { clusterRole: "view" },
        { clusterRole: "edit", namespace: "shop" },
        { role: "deploy:er", namespace: "shop" },
      ],
    },
    ci: { validity: SHORT, group: "pipelines" },
  };

  function both(described: Users, distribution: Distribution = Distribution.KUBEADM) {
    const app = newApp();
    const pki = new ClusterPki(newStack("prod-pki", app), "pki", { distribution, cluster: ONE, users: described });
    const stack = accessStack(app);
    const access = new ClusterAccess(stack, "access", { pki, tokens: {} });
    return { access, stack, resource: synthApp(app)["prod-access"].resource };
  }

  test("is bound in the access stack to what it is granted, as itself and nobody else", () => {
    const { access, resource, stack } = both(users);
    const subject = [{ api_group: "rbac.authorization.k8s.io", kind: "User", name: "jane@example.com", namespace: "" }];
    expect(resource.kubernetes_cluster_role_binding_v1.prod__binding__jane_view).toEqual({
      metadata: { name: "prod:jane:view" },
      role_ref: { api_group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subject,
    });
    expect(resource.kubernetes_role_binding_v1).toEqual({
      prod__binding__jane_shop_edit: {
        metadata: { name: "prod:jane:edit", namespace: "shop" },
        role_ref: { api_group: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
        subject,
      },
      prod__binding__jane_shop_deploy_er: {
        metadata: { name: "prod:jane:deploy:er", namespace: "shop" },
        role_ref: { api_group: "rbac.authorization.k8s.io", kind: "Role", name: "deploy:er" },
        subject,
      },
    });
    expect(access.userBindings["jane"]!.map(({ name }) => name)).toEqual([
      "prod:jane:view",
      "prod:jane:edit",
      "prod:jane:deploy:er",
    ]);
    expect(access.userBindings["ci"]).toEqual([]);
    expect(inventoryOf(stack).entries.filter(({ name }) => name.includes("jane"))).toMatchObject([
      { kind: "binding", role: "Role/deploy:er", namespace: "shop", subjects: ["User/jane@example.com"] },
      { kind: "binding", role: "ClusterRole/edit", namespace: "shop" },
      { kind: "binding", role: "ClusterRole/view" },
    ]);
  });

  test("is bound where the PKI is another app's, or known by its parts", () => {
    const parts = { distribution: Distribution.KUBEADM, cluster: ONE };
    const pki = ClusterPki.fromAttributes({ ...parts, certificateAuthority: CA_PEM, users });
    for (const props of [{ pki }, { ...parts, users }]) {
      const stack = accessStack();
      new ClusterAccess(stack, "access", { ...props, tokens: {} });
      expect(Object.keys(terraformOf(stack).resource.kubernetes_role_binding_v1)).toHaveLength(2);
    }
  });

  test("has the same output in whatever order it is written", () => {
    const reversed = Object.fromEntries(Object.entries(users).reverse());
    expect(JSON.stringify(both(reversed).resource)).toBe(JSON.stringify(both(users).resource));
  });
});

describe("is refused", () => {
  test.each<[Users, string]>([
    [{ jane: { ...JANE, user: "system:node:cp-1" } }, 'user-name users.jane.user "system:node:cp-1"'],
    [{ jane: { ...JANE, group: "system:masters" } }, 'user-name users.jane.group "system:masters"'],
    [{ jane: { ...JANE, group: "kubeadm:cluster-admins" } }, 'user-name users.jane.group "kubeadm:cluster-admins"'],
    [{ jane: { ...JANE, user: "kubernetes-admin" } }, 'user-name users.jane.user "kubernetes-admin"'],
    [
      { "kube-apiserver-kubelet-client": JANE },
      'user-name users.kube-apiserver-kubelet-client "kube-apiserver-kubelet-client"',
    ],
    [{ jane: { ...JANE, user: " jane" } }, 'user-name users.jane.user " jane"'],
    [{ Jane: JANE }, 'user-key users.Jane "Jane"'],
    [{ admin: JANE }, 'name-twice users.admin "admin"'],
    [{ jane: { validity: SHORT } }, 'user-grants users.jane.grants "none"'],
    [{ jane: { validity: SHORT, grants: [] } }, 'user-grants users.jane.grants "none"'],
    [{ jane: { grants: VIEW } }, 'user-credentials users.jane.validity "none"'],
    [{ jane: { ...JANE, kubeconfig: LOGIN } }, 'user-credentials users.jane "validity"'],
    [{ jane: { ...JANE, validity: Validity.years(20) } }, 'leaf-outlives-authority users.jane.validity "175200 hours"'],
    [{ jane: { ...JANE, user: "x".repeat(65) } }, `user-name users.jane.user "${"x".repeat(65)}"`],
    [{ jane: { ...JANE, grants: [{}] } }, 'grant users.jane.grants[0] "no role"'],
    [
      { jane: { ...JANE, grants: [{ clusterRole: "a", role: "b" }] } },
      'grant users.jane.grants[0] "clusterRole and role"',
    ],
    [{ jane: { ...JANE, grants: [{ role: "b" }] } }, 'grant users.jane.grants[0] "a Role without its namespace"'],
    [{ jane: { ...JANE, grants: [{ clusterRole: "a/b" }] } }, 'grant users.jane.grants[0] "\\"a/b\\""'],
    [
      { jane: { ...JANE, grants: [{ clusterRole: "a", namespace: "Shop" }] } },
      'grant users.jane.grants[0] "the namespace \\"Shop\\""',
    ],
    [
      { jane: { ...JANE, grants: [{ role: "a", namespace: "b" }, ...[{ clusterRole: "a", namespace: "b" }]] } },
      'grant-twice users.jane.grants[1] "b/a"',
    ],
  ])("%j", (users, problem) => {
    expect(codes(users)).toEqual([problem]);
  });

  test("with all of its problems, and those of the cluster, at once", () => {
    const users: Users = {
      jane: { ...JANE, user: "joe" },
      joe: { validity: SHORT, group: "system:masters" },
      max: { grants: [{}] },
    };
    expect(problemsOf(() => pkiOf({ serviceCidrs: ["10.96.0.0"] }, { users })).map(({ code }) => code)).toEqual([
      "service-cidr",
      "user-twice",
      "user-name",
      "user-twice",
      "user-credentials",
      "grant",
    ]);
  });

  test("by the access as well, which knows it without a PKI", () => {
    const parts = { distribution: Distribution.K3S, cluster: ONE };
    const users: Users = { jane: { ...JANE, user: "system:admin" } };
    const act = () => new ClusterAccess(accessStack(), "access", { ...parts, tokens: {}, users });
    expect(problemsOf(act).map(({ code, at }) => `${code} ${at}`)).toEqual(["user-name users.jane.user"]);
  });
});
