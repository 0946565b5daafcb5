import {
  either,
  fields,
  Fields,
  list,
  name,
  oneOf,
  optional,
  plainText,
  record,
  type Shape,
  text,
} from "../../terraform/shape";
import { Token } from "cdktf";
import type { Reference } from "../../terraform/reference";
import type {
  CertificateAuthorityFile,
  Content,
  CredentialFile,
  Credentials,
  DatedContent,
  ExecCredentials,
  KubeconfigContent,
  KubeconfigProps,
} from "../content";

/** The forms of content that are an object with one field, by that field. */
type Form = Exclude<Content, string | Reference> extends infer U ? (U extends U ? keyof U : never) : never;

/** Content that nests deeper is no content: it most likely contains itself. */
const MAX_DEPTH = 64;

const REFERENCE = fields({
  address: name("tls_private_key.name"),
  attribute: name("private_key_pem"),
} satisfies Fields<Reference>);

/** Any text: who reads it makes the same of it, whatever it looks like. */
const TEXT: Shape = { allowed: "text", example: '"text"', isVerbatim: true, find: () => undefined };

const LEVELS: Shape[] = [];

/** What stands in a file, where that is expected. */
export const CONTENT = contentAt(0);

function contentAt(depth: number): Shape {
  return (LEVELS[depth] ??= contentShape(depth));
}

function contentShape(depth: number): Shape {
  const inner: Shape = {
    allowed: "content",
    example: '"text"',
    isVerbatim: true,
    find: (value, at, problems) => contentAt(depth + 1).find(value, at, problems),
  };
  const forms: Readonly<Record<Form, Shape>> = {
    concat: list(inner),
    kubeconfig: fields(kubeconfigFields(inner)),
    base64: inner,
    base64gzip: inner,
    sha256: inner,
    unsigned: name("prod__cp-1__apiserver"),
    later: both(fields({ madeAt: REFERENCE, content: inner } satisfies Fields<DatedContent>)),
  };
  const names = Object.keys(forms) as Form[];
  const shapes = Object.fromEntries(names.map((form) => [form, fields({ [form]: forms[form] })]));
  const shape = either(
    `text, a reference, or an object with ${names.join(", ")}`,
    "Token.asString(value), or text",
    (value) => {
      if (typeof value === "string") {
        return TEXT;
      }
      if (typeof value !== "object" || value === null || Array.isArray(value) || Token.isUnresolved(value)) {
        return undefined;
      }
      const form = names.find((known) => Object.hasOwn(value, known));
      return depth > MAX_DEPTH ? undefined : form === undefined ? REFERENCE : shapes[form];
    },
  );
  return { ...shape, isVerbatim: true };
}

/** Two of one shape. */
function both(of: Shape): Shape {
  const { allowed, example } = { allowed: "a list of two", example: `[${of.example}, ${of.example}]` };
  const shape = list(of);
  return {
    ...shape,
    allowed,
    example,
    find: (value, at, problems) => {
      if (Array.isArray(value) && value.length !== 2) {
        problems.add({ code: "wrong-type", at, given: `a list of ${value.length}`, allowed, fix: `write ${example}` });
      } else {
        shape.find(value, at, problems);
      }
    },
  };
}

/** A program of a kubeconfig. */
export const EXEC_CREDENTIALS = fields({
  command: plainText("kubelogin"),
  args: optional(list(plainText("get-token"))),
  env: optional(record("AAD_TENANT", plainText("prod"))),
  installHint: optional(plainText("brew install kubelogin")),
  interactiveMode: optional(oneOf(["Never", "IfAvailable", "Always"])),
} satisfies Fields<ExecCredentials>);

/** What proves who a kubeconfig's user is. */
function credentials(content: Shape, exec: Shape = EXEC_CREDENTIALS): Shape {
  type With<K extends string> = Extract<Credentials, Readonly<Record<K, unknown>>>;
  const pem = pemShape(content);
  const shapes = {
    token: fields({ token: content } satisfies Fields<With<"token">>),
    exec: fields({ exec } satisfies Fields<With<"exec">>),
  };
  const pair = fields({ certificate: pem, privateKey: pem } satisfies Fields<With<"certificate">>);
  return either("{ certificate, privateKey }, { token } or { exec }", "{ token: … }", (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (Object.entries(shapes).find(([form]) => Object.hasOwn(value, form))?.[1] ?? pair)
      : undefined,
  );
}

const FILE = fields({ file: name("pki/ca.crt") } satisfies Fields<CertificateAuthorityFile & CredentialFile>);

/** PEM as content, or the file that has it. */
function pemShape(content: Shape): Shape {
  const shape = either("content, or { file }", "pki.bundle().pem", (value) =>
    typeof value === "object" && value !== null && Object.hasOwn(value, "file") ? FILE : content,
  );
  return { ...shape, isVerbatim: true };
}

function kubeconfigFields(content: Shape) {
  return {
    cluster: name("prod"),
    server: text('"https://api.example.com:6443"'),
    user: text('"kubernetes-admin"'),
    context: optional(text('"prod-admin"')),
    certificateAuthority: pemShape(content),
    credentials: credentials(content, text('"{ … }"')),
  } satisfies Fields<KubeconfigContent>;
}

/** Whose kubeconfig it is. */
export const KUBECONFIG_USER = {
  user: text('"kubernetes-admin"'),
  context: optional(text('"prod-admin"')),
  credentials: credentials(CONTENT),
} satisfies Fields<Pick<KubeconfigProps, "user" | "context" | "credentials">>;

/** What a kubeconfig says, where that is expected. */
export const KUBECONFIG = fields({
  ...KUBECONFIG_USER,
  clusterName: text('"prod"'),
  server: text('"https://api.example.com:6443"'),
  certificateAuthority: pemShape(CONTENT),
} satisfies Fields<Omit<KubeconfigProps, "pki">>);
