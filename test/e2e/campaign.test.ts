import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { campaign } from "../campaign/campaign";
import { FRONTS } from "../campaign/fronts";
import { FALSE_ALARMS } from "../campaign/printed";

// A fixed part of `npm run campaign`: edits of code in many styles, planned by the real Terraform, and judged by an oracle that knows
// nothing of the report.

jest.setTimeout(300_000);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "campaign-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["hand-pki-2", 24],
  ["hand-access", 30],
  ["ours-access", 20],
])("%s: no danger is missed, and few alarms are false", async (name, edits) => {
  const front = FRONTS.find((one) => one.name === name)!;
  const { found, broken } = await campaign(front, { engine: "terraform", seed: 20, edits, folder });
  const missed = found.flatMap(({ edited, missed: list }) => list.map((one) => ({ edit: edited.name, ...one })));
  const wrong = found.flatMap(({ edited, wrongVerbs }) => wrongVerbs.map((verbs) => `${edited.name}: ${verbs}`));
  expect({ missed, wrong, broken }).toEqual({ missed: [], wrong: [], broken: [] });
  expect(found.some(({ expected }) => expected.length > 0)).toBe(true);
  const withAlarm = found.filter(({ falseAlarms }) => falseAlarms.length > 0);
  expect(withAlarm.length / found.length).toBeLessThan(FALSE_ALARMS);
});
