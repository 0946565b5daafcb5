import { dealt, Deck, Front, Round, Setting } from "../campaign";
import { addressesOf, Root, State } from "../engine";
import { codeOf, firstPki, Pki, Style, STYLES, worldOf, fromRoot } from "../hand-pki";
import { dueAddresses, PKI_EDITS } from "../hand-pki-edits";
import type { Edited } from "../judged";
import { Random } from "../random";
import { differencesFromReal } from "../real";
import { changedLines } from "../snippet";
import type { World } from "../world";

/** Copies of each style in one plan. */
const COPIES = 8;

interface Copy {
  readonly style: Style;
  readonly pki: Pki;
}

/** One of so many copies has two edits. */
const SECOND_EDITS = 5;

/** Styles in one plan: an apply writes its whole state after every resource. */
const STYLES_OF_EACH = 3;

/** PKIs that were written by hand, in all styles. */
export const HAND_PKI: readonly Front[] = chunks(STYLES, STYLES_OF_EACH).map((styles, index) => ({
  name: `hand-pki-${index + 1}`,
  share: styles.length,
  prepare: (setting) => rounds(styles, setting),
}));

function chunks<T>(list: readonly T[], size: number): T[][] {
  return list.length === 0 ? [] : [list.slice(0, size), ...chunks(list.slice(size), size)];
}

async function* rounds(
  styles: readonly Style[],
  { engine, seed, edits, only, folder }: Setting,
): AsyncGenerator<Round> {
  const random = new Random(seed);
  const number = Math.max(1, Math.min(COPIES, Math.ceil(edits / styles.length)));
  const copies = styles.flatMap((style) =>
    Array.from({ length: number }, (_, index): Copy => ({ style, pki: firstPki(`${style.name}${index}`, style) })),
  );
  const root = await Root.create(folder, engine);
  root.write({
    "main.tf": root.providers("random", "tls") + modules(copies),
    ...Object.fromEntries(copies.flatMap(filesOf)),
  });
  await root.apply();
  const state = root.state;
  expectTrue(
    copies.map(({ style, pki }) => worldOf(pki, style)),
    state,
  );
  yield { ...(await root.planned()), edits: [] };

  const pool = PKI_EDITS.filter(({ kind }) => only === undefined || kind === only);
  const decks = new Map(styles.map((style) => [style, new Deck(() => dealt(pool, random))]));
  for (let done = 0; done < edits;) {
    const made = copies.flatMap((copy) => editOf(copy, decks.get(copy.style)!, random) ?? []);
    if (made.length === 0) {
      return;
    }
    done += made.length;
    root.write(Object.fromEntries(made.flatMap(({ copy }) => filesOf(copy))));
    root.replaceState(made.reduce(stateFor, structuredClone(state)));
    yield { ...(await root.planned()), edits: made.map(({ edited }) => edited) };
    if (done >= edits) {
      await checkAfter(root, made);
    }
    root.write(Object.fromEntries(copies.flatMap(filesOf)));
    root.replaceState(state);
  }
}

function expectTrue(worlds: readonly World[], state: State): void {
  const wrong = worlds.flatMap((world) => differencesFromReal(world, state));
  if (wrong.length > 0) {
    throw new Error(`what was made is not what the oracle knows: ${wrong.slice(0, 5).join("\n")}`);
  }
}

/** The oracle is right about what comes, too: the last edits are applied. */
async function checkAfter(root: Root, made: readonly Made[]): Promise<void> {
  await root.apply();
  expectTrue(
    made.map(({ edited }) => edited.after),
    root.state,
  );
}

interface Made {
  readonly edited: Edited;
  readonly copy: Copy;
}

function editOf(copy: Copy, deck: Deck<(typeof PKI_EDITS)[number]>, random: Random): Made | undefined {
  const { style, pki } = copy;
  return deck.deal((edit): Made | undefined => {
    const first = edit.apply(pki, style, random);
    if (first === undefined) {
      return undefined;
    }
    const [changed, name] = withSecond(first, style, edit.name, random);
    const after = { style, pki: changed };
    const edited: Edited = {
      tag: pki.tag,
      name: `${style.name}: ${name}`,
      kind: edit.kind,
      before: worldOf(pki, style),
      after: worldOf(changed, style),
      snippet: () => changedLines(codeOf(pki, style), codeOf(changed, style)),
    };
    return { edited, copy: after };
  });
}

/** Now and then, something else is edited in the same copy. */
function withSecond(pki: Pki, style: Style, name: string, random: Random): readonly [Pki, string] {
  const isPlain = ({ lost, due, forgotten, moved, leaves }: Pki) =>
    [lost, due, forgotten, moved].every((list) => list === undefined) &&
    !Object.values(leaves).some((leaf) => leaf.isKept);
  const second = random.of(PKI_EDITS);
  const both = random.below(SECOND_EDITS) === 0 && isPlain(pki) ? second.apply(pki, style, random) : undefined;
  return both && isPlain(both) ? [both, `${name} + ${second.name}`] : [pki, name];
}

/** What is lost is not in the state, and what is nearly over ends tomorrow. */
function stateFor(state: State, { copy: { style, pki } }: Made): State {
  const lost = Object.values(pki.lost ?? {})
    .flat()
    .map((address) => fromRoot(pki, style, address));
  const due = dueAddresses(pki, style);
  for (const resource of lost.length + due.length > 0 ? state.resources : []) {
    const addresses = addressesOf(resource);
    addresses.forEach((address, index) => {
      if (due.includes(address)) {
        resource.instances[index]!.attributes.validity_end_time = new Date(Date.now() + 86_400_000).toISOString();
      }
    });
    resource.instances = resource.instances.filter((_, index) => !lost.includes(addresses[index]!));
  }
  return { ...state, resources: state.resources.filter(({ instances }) => instances.length > 0) };
}

function filesOf({ style, pki }: Copy): [file: string, content: string][] {
  const code = codeOf(pki, style);
  const children = Object.entries(style.children ?? {});
  return style.isModule
    ? [
        [`${pki.tag}/main.tf`, code],
        ...children.map(([name, content]): [string, string] => [`${pki.tag}/${name}/main.tf`, content]),
      ]
    : [[`${pki.tag}.tf`, code]];
}

function modules(copies: readonly Copy[]): string {
  return copies
    .filter(({ style }) => style.isModule)
    .map(({ pki: { tag } }) => `module "${tag}" {\n  source = "./${tag}"\n}\n`)
    .join("\n");
}
