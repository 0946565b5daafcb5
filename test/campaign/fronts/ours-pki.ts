import { Distribution } from "../../../lib";
import { dealt, Deck, Front, Round, Setting } from "../campaign";
import { Root } from "../engine";
import type { Edited } from "../judged";
import { Chosen, Json, pkiWorld, Written, written } from "../ours";
import { build, Description, OURS_EDITS } from "../ours-edits";
import { Random } from "../random";
import { differencesFromReal } from "../real";
import { changedLines, flattened } from "../snippet";
import type { World } from "../world";

const COPIES = 4;

/** In turn: where the generations stand to begin with. */
const STANDINGS = [
  { g1: "active" },
  { g1: "active", g2: "trusted" },
  { g1: "retired", g2: "active" },
  { g1: "trusted", g2: "active" },
] as const;

/** What this library writes, of each distribution. */
export const OURS_PKI: readonly Front[] = Object.values(Distribution)
  .filter((value): value is Distribution => value instanceof Distribution)
  .map((distribution) => ({
    name: `ours-${distribution.table.name}`,
    share: 2,
    prepare: (setting) => rounds(distribution, setting),
  }));

function first(distribution: Distribution, index: number): Description {
  const { table } = distribution;
  const name = `${table.name}${index}`;
  const names = [...Object.keys(table.authorities), "service-account"];
  const issuesItself = Object.values(table.certificates).every(({ issuedBy }) => issuedBy === "terraform");
  return {
    distribution,
    cluster: {
      name,
      endpoint: `api.${name}.example.com:6443`,
      serviceCidrs: ["10.96.0.0/12"],
      controlPlanes: [{ name: "cp-1", addresses: ["10.0.0.11"] }],
      workers: [{ name: "worker-1" }],
    },
    ...(issuesItself || index % 4 !== 1 ? {} : { issueLeaves: true }),
    generations: Object.fromEntries(names.map((of, at) => [of, STANDINGS[(index + at) % STANDINGS.length]!])),
    certificates: {},
    algorithms: {},
    isProtected: index % 2 === 0,
    byHand: [],
  };
}

/** The code of all of them, and what it would be without what is changed by hand. */
function synthesized(descriptions: readonly Description[], isOld: boolean): Written & { readonly table: Json } {
  const made = written("campaign", isOld, (stack) => descriptions.forEach((description) => build(stack, description)));
  const code = structuredClone(made.code);
  for (const { cluster, byHand } of descriptions) {
    byHand.forEach((change) => change(code, cluster.name));
  }
  return { ...made, code, table: made.code };
}

function chosen({ isProtected, pinned, exceptions }: Description): Chosen {
  return { isProtected, ...(pinned ? { pinned: pinned.generation } : {}), ...(exceptions ? { exceptions } : {}) };
}

async function* rounds(
  distribution: Distribution,
  { engine, seed, edits, only, folder }: Setting,
): AsyncGenerator<Round> {
  const random = new Random(seed);
  const root = await Root.create(folder, engine);
  const number = Math.max(1, Math.min(COPIES, edits));
  let bases = Array.from({ length: number }, (_, index) => first(distribution, index));
  const use = ({ code, inventory }: Written) =>
    root.write({ "cdk.tf.json": JSON.stringify(code), "pki-inventory.json": inventory });
  const planned = async () => ({ ...(await root.planned()), inventories: [`${root.folder}/pki-inventory.json`] });
  const worlds = ({ code, table }: ReturnType<typeof synthesized>, descriptions: readonly Description[]) =>
    descriptions.map((one) => pkiWorld(code, one.cluster.name, chosen(one), table));

  let base = synthesized(bases, root.isOld);
  use(base);
  await root.must("init", "-no-color", "-input=false");
  const empty: World = { things: new Map() };
  yield {
    ...(await planned()),
    edits: worlds(base, bases).map((after, index) =>
      editedOf(bases[index]!, "first deploy", "harmless", empty, after, () => "all of it"),
    ),
  };
  await root.apply();
  const fingerprints = root.state.outputs as Record<string, { value: Record<string, string> }>;
  bases = bases.map((description, index) => {
    const { name } = description.cluster;
    const [generation, fingerprint] = Object.entries(fingerprints[`${name}_fingerprints`]!.value)[0]!;
    return index % 3 === 0 ? { ...description, pinned: { generation, fingerprint } } : description;
  });
  base = synthesized(bases, root.isOld);
  use(base);
  await root.apply();
  const before = worlds(base, bases);
  const wrong = before.flatMap((world) => differencesFromReal(world, root.state));
  if (wrong.length > 0) {
    throw new Error(`what was made is not what the oracle knows: ${wrong.slice(0, 5).join("\n")}`);
  }
  yield { ...(await planned()), edits: [] };

  const pool = OURS_EDITS.filter(({ kind }) => only === undefined || kind === only);
  const deck = new Deck(() => dealt(pool, random));
  for (let done = 0; done < edits;) {
    const made = bases.map((description) =>
      deck.deal((edit) => {
        const after = edit.apply(description, base.code, random);
        return after && isPossible(after, root.isOld) ? { after, edit } : undefined;
      }),
    );
    const edited = bases.map((description, index) => made[index]?.after ?? description);
    const next = synthesized(edited, root.isOld);
    use(next);
    const after = worlds(next, edited);
    const list = made.flatMap((one, index) => {
      if (!one) {
        return [];
      }
      const code = (of: Json) => flattened(ofCluster(of, bases[index]!.cluster.name));
      const snippet = () => changedLines(code(base.code), code(next.code));
      return [
        editedOf(
          bases[index]!,
          one.edit.name,
          one.edit.kind,
          withRows(before[index]!, after[index]!),
          after[index]!,
          snippet,
        ),
      ];
    });
    if (list.length === 0) {
      return;
    }
    done += list.length;
    yield { ...(await planned()), edits: list };
  }
  if (only === undefined || only === "plan-failed") {
    yield* refused(bases, base, before, root, use, planned);
  }
}

/** Somebody changes what Terraform refuses to destroy. */
async function* refused(
  bases: readonly Description[],
  base: ReturnType<typeof synthesized>,
  before: readonly World[],
  root: Root,
  use: (made: Written) => void,
  planned: () => Promise<Omit<Round, "edits">>,
): AsyncGenerator<Round> {
  const index = 0;
  const description = bases[index]!;
  const { name } = description.cluster;
  const [of] = Object.entries(description.generations).find(([one, states]) => one !== "service-account" && states)!;
  const title = Object.entries(description.generations[of]!).find(([, state]) => state === "active")![0];
  const change = (code: Json) => {
    const subject = code.resource.tls_self_signed_cert[`${name}__ca__${of}__${title}`]?.subject;
    Object.assign(subject[0] ?? subject, { organization: "Example" });
  };
  const edited = bases.map((one, at) => (at === index ? { ...one, byHand: [change] } : one));
  const next = synthesized(edited, root.isOld);
  use(next);
  const after = pkiWorld(next.code, name, chosen(description), next.table);
  const code = (of: Json) => flattened(ofCluster(of, name));
  const snippet = () => changedLines(code(base.code), code(next.code));
  const thing = `${name}: ${of} ${title}`;
  const one = editedOf(
    description,
    "a protected authority has another subject",
    "plan-failed",
    before[index]!,
    after,
    snippet,
  );
  yield { ...(await planned()), edits: [{ ...one, refused: [thing] }] };
}

/** What has exceptions afterwards had none before. */
function withRows(before: World, { things }: World): World {
  const rows = [...things].flatMap(([name, thing]) =>
    thing.kind === "row" ? [[name, { ...thing, exceptions: [] }] as const] : [],
  );
  return { ...before, things: new Map([...before.things, ...rows]) };
}

function editedOf(
  { cluster: { name: tag }, distribution }: Description,
  name: string,
  kind: string,
  before: World,
  after: World,
  snippet: () => string,
): Edited {
  return { tag, name: `${distribution.table.name}: ${name}`, kind, before, after, snippet };
}

/** False where the library refuses it. */
function isPossible(description: Description, isOld: boolean): boolean {
  try {
    synthesized([description], isOld);
    return true;
  } catch {
    return false;
  }
}

function ofCluster(code: Json, prefix: string): Json {
  const own = (names: Json) =>
    Object.fromEntries(Object.entries(names ?? {}).filter(([name]) => new RegExp(`^${prefix}[_-]`).test(name)));
  const resource = Object.fromEntries(Object.entries(code.resource).map(([type, names]) => [type, own(names)]));
  return { resource, output: own(code.output) };
}
