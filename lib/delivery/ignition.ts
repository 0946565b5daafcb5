import { concat, type Content, content } from "../kubernetes/content";
import type { ClusterFile } from "../kubernetes/cluster-file";
import { checkShape } from "../terraform/shape";
import { filesWith } from "./file-shapes";

const FILES = filesWith("path", "mode", "owner", "content");

/**
 * The files of a machine as user data of Flatcar or Fedora CoreOS: an Ignition configuration of version 3.4.0 that writes each of them before
 * the first boot, with its mode and owner, in the place of a file that is there.
 *
 * It is data, like the files; `toTerraform(ignition(pki.files("cp-1")))` makes an expression of it that is valid inside the PKI's stack,
 * and sensitive where the files hold a key. For more than files, let a configuration of your own name it in `ignition.config.merge`.
 *
 * In the Terraform state: nothing by itself. A resource that takes it as an argument has all the files in the state in clear, and the
 * machine's metadata service shows them to every process that may ask it, for as long as the machine lives: put there what a worker needs
 * rather than the keys of authorities.
 *
 * @throws PkiError when a file lacks a field, or a field has another type
 * @see https://coreos.github.io/ignition/configuration-v3_4/
 */
export function ignition(files: readonly Pick<ClusterFile, "path" | "mode" | "owner" | "content">[]): Content {
  checkShape("ignition", files, FILES, "files");
  const entries = files.map((file, index) => {
    const [user = "", group = ""] = file.owner.split(":");
    const known = {
      path: file.path,
      overwrite: true,
      // JSON has no octal numbers.
      mode: Number.parseInt(file.mode, 8),
      user: account(user),
      group: account(group),
    };
    const separator = index === 0 ? "" : ",";
    return content`${separator}${JSON.stringify(known).slice(0, -1)},"contents":{"source":"data:;base64,${{ base64: file.content }}"}}`;
  });
  return concat(['{"ignition":{"version":"3.4.0"},"storage":{"files":[', ...entries, "]}}"]);
}

/** A user or group, by number where it is one. */
function account(name: string): { readonly id: number } | { readonly name: string } {
  return /^[0-9]+$/.test(name) ? { id: Number(name) } : { name };
}
