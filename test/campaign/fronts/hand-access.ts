import { dealt, Deck, Front, Round, Setting } from "../campaign";
import { objectsAsState, Root } from "../engine";
import { Access, ACCESS_EDITS, ACCESS_STYLES, accessCode, AccessStyle, accessWorld, firstAccess } from "../hand-access";
import type { Edited } from "../judged";
import { Random } from "../random";
import { changedLines } from "../snippet";

const COPIES = 10;

interface Copy {
  readonly style: AccessStyle;
  readonly access: Access;
}

/** Roles, bindings and tokens that were written by hand. */
export const HAND_ACCESS: Front = { name: "hand-access", share: 2, prepare: rounds };

async function* rounds({ engine, seed, edits, only, folder }: Setting): AsyncGenerator<Round> {
  const random = new Random(seed);
  const number = Math.max(1, Math.min(COPIES, Math.ceil(edits / ACCESS_STYLES.length)));
  const copies = ACCESS_STYLES.flatMap((style) =>
    Array.from({ length: number }, (_, index): Copy => ({ style, access: firstAccess(`${style.name}${index}`) })),
  );
  const root = await Root.create(folder, engine);
  root.write({
    "main.tf": root.providers("tls", "kubernetes") + modules(copies),
    ...Object.fromEntries(copies.map(fileOf)),
  });
  // There is no API server: what the provider would have kept of its objects is written into the state.
  await root.apply(...copies.flatMap(targets));
  const { document } = await root.plan();
  root.replaceState(objectsAsState(root.state, ["tls.key"], document));
  yield { ...(await root.planned()), edits: [] };

  const pool = ACCESS_EDITS.filter(({ kind }) => only === undefined || kind === only);
  const decks = new Map(ACCESS_STYLES.map((style) => [style, new Deck(() => dealt(pool, random))]));
  for (let done = 0; done < edits;) {
    const made = copies.flatMap((copy) => {
      const { style, access } = copy;
      return (
        decks.get(style)!.deal((edit) => {
          const changed = edit.apply(access, style, random);
          return changed && { edited: editedOf(copy, changed, edit), copy: { style, access: changed } };
        }) ?? []
      );
    });
    if (made.length === 0) {
      return;
    }
    done += made.length;
    root.write(Object.fromEntries(made.map(({ copy }) => fileOf(copy))));
    yield { ...(await root.planned()), edits: made.map(({ edited }) => edited) };
    root.write(Object.fromEntries(copies.map(fileOf)));
  }
}

function editedOf({ style, access }: Copy, after: Access, { kind, name }: (typeof ACCESS_EDITS)[number]): Edited {
  return {
    tag: access.tag,
    name: `${style.name}: ${name}`,
    kind,
    before: accessWorld(access, style),
    after: accessWorld(after, style),
    snippet: () => changedLines(accessCode(access, style), accessCode(after, style)),
  };
}

/** All that is no object of an API server. */
function targets({ style, access: { tag } }: Copy): string[] {
  const at = (type: string, name: string) =>
    style.isModule ? `module.${tag}.${type}.${name}` : `${type}.${tag}_${name}`;
  return [at("tls_private_key", "web"), at("terraform_data", "note")].map((address) => `-target=${address}`);
}

function fileOf({ style, access }: Copy): [file: string, content: string] {
  return [style.isModule ? `${access.tag}/main.tf` : `${access.tag}.tf`, accessCode(access, style)];
}

function modules(copies: readonly Copy[]): string {
  return copies
    .filter(({ style }) => style.isModule)
    .map(({ access: { tag } }) => `module "${tag}" {\n  source = "./${tag}"\n}\n`)
    .join("\n");
}
