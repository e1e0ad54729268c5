/**
 * A deploy writes a row for each of its tables whose meaning or limits are others than the row says. Deploys are ordered by the time at
 * which they were made: of two that run at once the older one changes no row, and builds no table whose row the newer one changed.
 */
import { cancelBackfill } from "../../../sql/statements/backfills.ts";
import {
  GONE,
  generationsOf,
  recordGenerations,
  recordGone,
  type SaidGeneration,
  type TableGeneration,
  tableGenerations,
} from "../../../sql/statements/generations.ts";
import { type Table, tableByName, tables } from "../../tables/catalog.ts";
import { contentOf, generationOf, type Meaning, meaningOf, meaningSchema, meansTheSame, readsLess } from "./meaning.ts";

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

/** The rows to write: one for each table that has none, or whose row another deploy wrote. Pure. */
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
      return [
        { ...said, generation: generationOf(meaning), walks: table.kind === "model", holds: false, forgets: false },
      ];
    const before = readMeaning(row.meaning, table);
    if (meansTheSame(before, meaning))
      return [{ ...said, generation: row.generation, walks: row.content === GONE, holds: false, forgets: false }];
    // A topic's columns only become wider, so its dates may be of two generations; what a model makes of a column may be another thing.
    const changed = { walks: true, holds: table.kind === "model", forgets: readsLess(before, meaning) };
    return [{ ...said, generation: generationOf(meaning), ...changed }];
  });
}

/** The tables that a deploy before had and this one has not. Pure. */
export function goneTables(
  { tables, releasedAt }: Deploy,
  recorded: ReadonlyMap<string, Pick<TableGeneration, "content" | "released_at">>,
): string[] {
  const here = new Set(tables.map(({ name }) => name));
  return [...recorded].flatMap(([name, { content, released_at }]) =>
    here.has(name) || content === GONE || released_at > releasedAt ? [] : [name],
  );
}

/** Of what is gone: a topic's is its name without the prefix. What this deploy builds under such a name is another table's. */
function domainsOf(gone: readonly string[], { tables }: Deploy): string[] {
  const here = new Set(tables.map(({ domain }) => domain));
  return gone.flatMap((name) => [name, name.replace(/^silver_/, "")]).filter((domain) => !here.has(domain));
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
  const gone = goneTables(deploy, recorded);
  if (said.length === 0 && gone.length === 0) return recorded;
  if (gone.length > 0) await recordGone(db, deploy.releasedAt, gone, domainsOf(gone, deploy));
  if (said.length > 0) await recordGenerations(db, deploy.releasedAt, said);
  const generations = await readGenerations(db);
  for (const [name, { backfill_id: before, generation }] of recorded) {
    // The walk was to build an older generation: its backfill is cancelled, and the next run files another.
    if (before !== null && generations.get(name)?.generation !== generation) await cancelBackfill(db, before);
  }
  return generations;
}

async function readGenerations(db: D1Database): Promise<ReadonlyMap<string, TableGeneration>> {
  return new Map((await tableGenerations(db)).map((row) => [row.table_name, row]));
}

/**
 * Whether this deploy may build the table: not once a newer one said something else of it, or of a model that it reads, whose rows would
 * be of another meaning than this table's; the newer one need not have the table at all. Before its first build of a table that it
 * changed, the deploy says so itself: what is built from then on is told from what was there.
 */
export async function mayBuild(db: D1Database, deploy: Deploy, table: Table): Promise<boolean> {
  const read = modelsRead(table);
  const rows = await generationsOf(
    db,
    [table, ...read].map(({ name }) => name),
  );
  const recorded = new Map(rows.map((row) => [row.table_name, row]));
  const isOverruled = (each: Table): boolean => {
    const row = recorded.get(each.name);
    return row !== undefined && row.content !== contentOfTable(each) && row.released_at > deploy.releasedAt;
  };
  if ([table, ...read].some(isOverruled)) return false;
  if (recorded.get(table.name)?.content !== contentOfTable(table)) await recordDeploy(db, deploy);
  return true;
}

/** The models that a table reads, and those that they read. */
function modelsRead(table: Table): Table[] {
  if (table.kind !== "model") return [];
  const models = table.model.inputs.flatMap((input) => {
    const read = find(input.table);
    return read?.kind === "model" ? [read, ...modelsRead(read)] : [];
  });
  return [...new Set(models)];
}
