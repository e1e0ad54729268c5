/**
 * What this deploy says of its tables, written once where it differs from what is written. Deploys are ordered by when they were made, so
 * of two that run at once the older one changes nothing, and builds no table of which the newer one said something else.
 */
import { cancelBackfill } from "../../../sql/statements/backfills.ts";
import {
  recordGenerations,
  type SaidGeneration,
  type TableGeneration,
  tableGeneration,
  tableGenerations,
} from "../../../sql/statements/generations.ts";
import { type Table, tableByName, tables } from "../../tables/catalog.ts";
import { contentOf, generationOf, type Meaning, meaningOf, meaningSchema, meansTheSame } from "./meaning.ts";

/** The tables of a deploy, each behind what it reads. */
export interface Deploy {
  readonly tables: readonly Table[];
  /** When it was made: ISO 8601 UTC. */
  readonly releasedAt: string;
}

const find = tableByName;

/** This deploy, which was made then. */
export function thisDeploy(releasedAt: string): Deploy {
  return { tables, releasedAt };
}

const contents = new WeakMap<Table, string>();

/** `contentOf` a table of this code. */
export function contentOfTable(table: Table): string {
  let content = contents.get(table);
  if (content === undefined) {
    content = contentOf(table, find);
    contents.set(table, content);
  }
  return content;
}

/** What is to be written: of tables of which another deploy, or none, said something. Pure. */
export function newGenerations(
  { tables, releasedAt }: Deploy,
  recorded: ReadonlyMap<string, Pick<TableGeneration, "content" | "generation" | "meaning" | "released_at">>,
): SaidGeneration[] {
  return tables.flatMap((table): SaidGeneration[] => {
    const row = recorded.get(table.name);
    const content = contentOfTable(table);
    if (row !== undefined && (row.content === content || row.released_at > releasedAt)) return [];
    const meaning = meaningOf(table, find);
    const said = { table: table.name, domain: table.domain, content, meaning: JSON.stringify(meaning) };
    // What was published before there were generations is adopted: only a model may lack dates.
    if (row === undefined)
      return [{ ...said, generation: generationOf(meaning), walks: table.kind === "model", holds: false }];
    if (meansTheSame(readMeaning(row.meaning, table), meaning))
      return [{ ...said, generation: row.generation, walks: false, holds: false }];
    // A topic's columns only become wider, so its dates may be of two generations; what a model makes of a column may be another thing.
    return [{ ...said, generation: generationOf(meaning), walks: true, holds: table.kind === "model" }];
  });
}

/** Throws an Error that says where the row stands: somebody changed it by hand. */
function readMeaning(text: string, { name }: Table): Meaning {
  const parsed = meaningSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(
    `table_generations.meaning of ${name} is not what a deploy wrote: delete the row, and it is written anew`,
  );
}

/** Writes what differs; the generations of all tables, by name. */
export async function recordDeploy(db: D1Database, deploy: Deploy): Promise<ReadonlyMap<string, TableGeneration>> {
  const recorded = await readGenerations(db);
  const said = newGenerations(deploy, recorded);
  if (said.length === 0) return recorded;
  await recordGenerations(db, deploy.releasedAt, said);
  const generations = await readGenerations(db);
  for (const [name, { backfill_id: before, generation }] of recorded) {
    // What it was to build is another thing now: what it had begun ends, the rest is filed anew.
    if (before !== null && generations.get(name)?.generation !== generation) await cancelBackfill(db, before);
  }
  return generations;
}

async function readGenerations(db: D1Database): Promise<ReadonlyMap<string, TableGeneration>> {
  return new Map((await tableGenerations(db)).map((row) => [row.table_name, row]));
}

/**
 * Whether this deploy may build the table: not once a newer one said something else of it. Before its first build of a table that it
 * changed, it says so itself: what is built from then on is told from what was there.
 */
export async function mayBuild(db: D1Database, deploy: Deploy, table: Table): Promise<boolean> {
  const row = await tableGeneration(db, table.name);
  if (row?.content === contentOfTable(table)) return true;
  if (row !== null && row.released_at > deploy.releasedAt) return false;
  await recordDeploy(db, deploy);
  return true;
}
