import { concat, Content, content } from "../kubernetes/content";
import { ClusterFile } from "../kubernetes/cluster-file";
import { checkShape } from "../terraform/shape";
import { filesWith } from "./file-shapes";

const FILES = filesWith("path", "mode", "owner", "content");

/**
 * The files of a machine as user data: a `#cloud-config` that writes each of them at the first boot, with its mode and owner.
 *
 * It is data, like the files; `toTerraform(cloudInit(pki.files("cp-1")))` makes an expression of it that is valid inside the PKI's stack,
 * and sensitive where the files hold a key. cloud-init makes missing folders with mode 0755, and replaces files that are there. Let no
 * other part of the user data have `write_files`: of two lists, cloud-init takes the later one alone, unless that says `merge_how`.
 *
 * A kubeadm control plane's files come to 31 kB with ECDSA keys, and AWS takes 16 KiB. cloud-init also takes gzip, which is 13 kB, and 15
 * kB in the middle of a rotation: give `toTerraform({ base64gzip: cloudInit(files) })` as `user_data_base64`.
 *
 * In the Terraform state: nothing by itself. A resource that takes it as an argument has all the files in the state in clear, and the
 * machine's metadata service shows them to every process that may ask it, for as long as the machine lives: put there what a worker needs
 * rather than the keys of authorities.
 *
 * @throws PkiError when a file lacks a field, or a field has another type
 * @see https://cloudinit.readthedocs.io/en/latest/reference/modules.html#write-files
 */
export function cloudInit(files: readonly Pick<ClusterFile, "path" | "mode" | "owner" | "content">[]): Content {
  checkShape("cloudInit", files, FILES, "files");
  const entries = files.map(
    // JSON strings are YAML scalars. The mode is one, too: a number would be read as decimal.
    (file) => content`- path: ${JSON.stringify(file.path)}
  owner: ${JSON.stringify(file.owner)}
  permissions: ${JSON.stringify(file.mode)}
  encoding: b64
  content: ${{ base64: file.content }}
`,
  );
  return concat([`#cloud-config\nwrite_files:${files.length > 0 ? "" : " []"}\n`, ...entries]);
}
