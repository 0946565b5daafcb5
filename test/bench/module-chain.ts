/** Modules that call each other in a row, each with the same variables, and each variable passed on as an expression of all of them. */
export class ModuleChain {
  private readonly names: readonly string[];

  /** @param variables of each module */
  public constructor(
    private readonly modules: number,
    variables: number,
  ) {
    this.names = Array.from({ length: variables }, (_, index) => `v${index + 1}`);
  }

  /** Address of the certificate in the last module, made with the key that is the first variable. */
  public get address(): string {
    return `${Array.from({ length: this.modules }, (_, index) => `module.m${index + 1}.`).join("")}${CERTIFICATE}`;
  }

  /** Addresses of the keys that the first module is given. */
  public get keys(): string[] {
    return this.names.map((name) => `tls_private_key.${name}`);
  }

  /** The code: a folder for each module, in that of the one that calls it, and what its main.tf.json holds. */
  public code(): ReadonlyMap<string, object> {
    const found = new Map<string, object>();
    const all = this.names.map((name) => `\${var.${name}}`).join("");
    let folder = "";
    for (let depth = 0; depth <= this.modules; depth++) {
      const next = `m${depth + 1}`;
      const given = (name: string) => (depth === 0 ? `\${tls_private_key.${name}.private_key_pem}` : all);
      found.set(folder, {
        ...(depth === 0
          ? { resource: { tls_private_key: this.each(() => ({ algorithm: "ECDSA" })) } }
          : { variable: this.each(() => ({ type: "string" })) }),
        ...(depth === this.modules
          ? { resource: { tls_self_signed_cert: { leaf: { ...VALUES, private_key_pem: "${var.v1}", subject: NAME } } } }
          : { module: { [next]: { source: `./${next}`, ...this.each(given) } } }),
      });
      folder += `${next}/`;
    }
    return found;
  }

  /** The plan that makes it, with what is read of it, as `terraform show -json` prints it. */
  public plan(): string {
    const create = (address: string, type: string, name: string, after: object, unknown: object) => ({
      address,
      mode: "managed",
      type,
      name,
      change: { actions: ["create"], before: null, after, after_unknown: unknown, after_sensitive: {} },
    });
    const later = { private_key_pem: true };
    return JSON.stringify({
      format_version: "1.2",
      terraform_version: "1.11.4",
      resource_changes: [
        create(
          this.address,
          "tls_self_signed_cert",
          "leaf",
          { ...VALUES, subject: [NAME] },
          { ...later, cert_pem: true },
        ),
        ...this.names.map((name) => {
          return create(`tls_private_key.${name}`, "tls_private_key", name, { algorithm: "ECDSA" }, later);
        }),
      ],
      configuration: { root_module: this.configuration() },
    });
  }

  private configuration(): object {
    const all = { references: this.names.map((name) => `var.${name}`) };
    let module: object = {
      resources: [
        {
          address: CERTIFICATE,
          mode: "managed",
          type: "tls_self_signed_cert",
          name: "leaf",
          expressions: {
            ...Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, { constant_value: value }])),
            private_key_pem: { references: ["var.v1"] },
            subject: [{ common_name: { constant_value: NAME.common_name } }],
          },
        },
      ],
      variables: this.each(() => ({})),
    };
    for (let depth = this.modules; depth > 1; depth--) {
      module = {
        module_calls: { [`m${depth}`]: { source: `./m${depth}`, expressions: this.each(() => all), module } },
        variables: this.each(() => ({})),
      };
    }
    const given = (name: string) => {
      return { references: [`tls_private_key.${name}.private_key_pem`, `tls_private_key.${name}`] };
    };
    return {
      resources: this.names.map((name) => ({
        address: `tls_private_key.${name}`,
        mode: "managed",
        type: "tls_private_key",
        name,
        expressions: { algorithm: { constant_value: "ECDSA" } },
      })),
      module_calls: { m1: { source: "./m1", expressions: this.each(given), module } },
    };
  }

  private each<T>(make: (name: string) => T): Record<string, T> {
    return Object.fromEntries(this.names.map((name) => [name, make(name)]));
  }
}

const CERTIFICATE = "tls_self_signed_cert.leaf";
const VALUES = { allowed_uses: ["server_auth"], validity_period_hours: 24 };
const NAME = { common_name: "leaf" };
