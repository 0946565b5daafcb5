import type { Reference } from "../terraform/reference";

/**
 * What stands in a file, as data: text, a value of the Terraform state, several of them in a row, a kubeconfig, or what is made of one:
 * its base64, its gzip in base64, its SHA-256 in hex.
 *
 * It has two readers that agree byte for byte: `toTerraform` makes an expression of it, for Secrets and cloud-init;
 * `evaluate` fills it in from a state that was read. Only gzip is not the same bytes, since it may be written in several
 * ways: it unpacks to the same. The data itself is public: it names secrets and never holds one. Text may hold unresolved tokens
 * of public values.
 */
export type Content =
  | string
  | Reference
  | {
      /** Several in a row, with nothing between them. */
      readonly concat: readonly Content[];
    }
  | {
      /** A kubeconfig with everything inline. */
      readonly kubeconfig: KubeconfigContent;
    }
  | {
      /** The base64 of this, on one line. */
      readonly base64: Content;
    }
  | {
      /** The base64 of the gzip of this, on one line. */
      readonly base64gzip: Content;
    }
  | {
      /** The SHA-256 of this, in hex. */
      readonly sha256: Content;
    }
  | {
      /** A certificate that is signed elsewhere and not back yet, by the name of its request: neither reader makes anything of it. */
      readonly unsigned: string;
    }
  | {
      /** Of these two the one that was made later; the first where both were made at once. */
      readonly later: readonly [DatedContent, DatedContent];
    };

/** Content, and when it was made. */
export interface DatedContent {
  /** Where its time is in the state: RFC 3339. */
  readonly madeAt: Reference;
  /** What it is. */
  readonly content: Content;
}

/** A file that stands where its reader finds it, and not in the kubeconfig: a key, say, that nobody else ever has. */
export interface CredentialFile {
  /** Path of a PEM file, relative to the kubeconfig's own folder, as client-go takes it: `jane.key`. */
  readonly file: string;
}

/**
 * A program that says who its user is, such as one that logs in at an identity provider.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export interface ExecCredentials {
  /** Name on the `PATH`, or path relative to the kubeconfig's own folder. */
  readonly command: string;
  /**
   * Its arguments.
   * @default - none
   */
  readonly args?: readonly string[];
  /**
   * Variables beside those of its caller. They are published with the kubeconfig: nothing secret belongs here.
   * @default - none
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What its user is told where the program is missing.
   * @default - client-go's own words
   */
  readonly installHint?: string;
  /**
   * Whether it may ask its user on the terminal.
   * @default IfAvailable
   */
  readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** How a kubeconfig's user proves who it is. */
export type Credentials =
  | {
      /** PEM of a client certificate, or the file that has it: its CN is the user, its O the group. */
      readonly certificate: Content | CredentialFile;
      /** PEM of the certificate's key, or the file that has it. */
      readonly privateKey: Content | CredentialFile;
    }
  | {
      /** A bearer token, such as a bootstrap token. */
      readonly token: Content;
    }
  | {
      /** A program that prints one or the other. */
      readonly exec: ExecCredentials;
    };

/**
 * A file on the machine that reads the kubeconfig: whoever delivers another one there reaches its reader, which a copy inside the
 * kubeconfig would not.
 *
 * client-go reads it again when it changes since 1.36 (`ClientsAllowCARotation`, on by default); older ones do at a restart.
 */
export interface CertificateAuthorityFile {
  /** Path of a PEM file, relative to the kubeconfig's own folder, as client-go takes it: `pki/ca.crt`. */
  readonly file: string;
}

/** What a kubeconfig says. */
export interface KubeconfigProps {
  /** Name of the cluster entry. */
  readonly clusterName: string;
  /** URL of the API server. */
  readonly server: string;
  /**
   * The authorities the API server may be signed by: PEM of the whole bundle, so that a rotation never locks a client out, or the file
   * that has it.
   */
  readonly certificateAuthority: Content | CertificateAuthorityFile;
  /** Name of the user entry. */
  readonly user: string;
  /**
   * Name of the context.
   * @default - `<user>@<clusterName>`
   */
  readonly context?: string;
  /** How the user proves who it is. */
  readonly credentials: Credentials;
  /**
   * A PKI says name, server and authorities.
   * @default - these three
   */
  readonly pki?: undefined;
}

/** A kubeconfig with names and server as YAML scalars, so that both readers write the same, whatever Terraform fills in. */
export interface KubeconfigContent extends Pick<KubeconfigProps, "certificateAuthority"> {
  /** Name of the cluster entry. */
  readonly cluster: string;
  /** URL of the API server. */
  readonly server: string;
  /** Name of the user entry. */
  readonly user: string;
  /**
   * Name of the context.
   * @default - `<user>@<cluster>`
   */
  readonly context?: string;
  /** How the user proves who it is. */
  readonly credentials:
    | Exclude<Credentials, Record<"exec", unknown>>
    | {
        /** What stands under `exec`, as JSON. */
        readonly exec: string;
      };
}

/** Content from a template literal: `` content`server: ${host}\n` ``. */
export function content(strings: TemplateStringsArray, ...values: Content[]): Content {
  return concat(strings.flatMap((text, index) => (index < values.length ? [text, values[index]!] : [text])));
}

/** Several in a row, as short as it can be said: neighbouring texts become one, and a row of one is that one. */
export function concat(contents: readonly Content[]): Content {
  const row: Content[] = [];
  for (const part of contents.flatMap((item) =>
    typeof item !== "string" && "concat" in item ? item.concat : [item],
  )) {
    const last = row.at(-1);
    if (typeof part === "string" && typeof last === "string") {
      row[row.length - 1] = last + part;
    } else if (part !== "") {
      row.push(part);
    }
  }
  return row.length === 1 ? row[0]! : { concat: row };
}
