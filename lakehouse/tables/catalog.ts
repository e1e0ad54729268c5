/**
 * Every table that is built: the silver of each topic, the published ledger, the gold models. A table's domain is its
 * name in `partition_meta`: the topic for a topic's silver, the table's own name for the others.
 */

import type { Contract } from "../../contracts/contract.ts";
import { contracts } from "../../contracts/registry.ts";
import { eventSchema } from "../bronze/table.ts";
import type { Field } from "../engine/columns/column.ts";
import { fieldsFromAvro } from "../engine/columns/from-avro.ts";
import type { CompiledModel, EdgeModel } from "../engine/ir/ir.ts";
import type { Grain } from "../engine/ir/relation.ts";
import { LEDGER_FIELDS, LEDGER_PARTITION, LEDGER_TABLE } from "../ledger/table.ts";
import { compiledChecks } from "./compiled/checks.generated.ts";
import { type RunnableCheck, runnableChecks } from "./compiled/compiled-check.ts";
import { modelChecks } from "./compiled/model-checks.ts";
import { models } from "./compiled/models.generated.ts";
import { silverFields, silverTableName } from "./silver-columns.ts";

export interface TableBase {
  readonly domain: string;
  readonly name: string;
  readonly layer: "silver" | "gold";
  /** Where its files stand in the lake, without a trailing slash. */
  readonly directory: string;
  readonly partition: string;
  readonly fields: readonly Field[];
  /** Of a topic's silver: with those of its bronze. */
  readonly checks: readonly RunnableCheck[];
  readonly dictionaryColumns: readonly string[];
  /** As of `ParquetWriteOptions`: columns by which a partition's rows are in order; none for rows in no order. */
  readonly sortedBy: readonly string[];
  /** Columns whose values stay in the files: the catalog has no bounds of them. */
  readonly unbounded: readonly string[];
}
export interface TopicTable extends TableBase {
  readonly kind: "topic";
  readonly contract: Contract;
  /** The columns that are the event's own, in the table's order. */
  readonly eventColumns: readonly string[];
}
export interface LedgerTable extends TableBase {
  readonly kind: "ledger";
}
export interface ModelTable extends TableBase {
  readonly kind: "model";
  readonly model: CompiledModel;
}
/** The table of a model that the edge can run. */
export interface EdgeModelTable extends ModelTable {
  readonly model: EdgeModel;
}
export type Table = TopicTable | LedgerTable | ModelTable;

const contractChecks = new Map<string, readonly RunnableCheck[]>(
  contracts.map(({ topic, checks }) => [topic, runnableChecks(topic, checks, compiledChecks)]),
);
const goldChecks = Map.groupBy([...contractChecks.values()].flat(), ({ table }) => table);

function topicTable(contract: Contract): TopicTable {
  return {
    kind: "topic",
    contract,
    domain: contract.topic,
    name: silverTableName(contract.topic),
    layer: "silver",
    directory: `silver/${contract.topic}`,
    partition: contract.partition.column,
    fields: silverFields(contract, eventSchema(contract)),
    eventColumns: fieldsFromAvro(eventSchema(contract)).map(({ name }) => name),
    checks: (contractChecks.get(contract.topic) ?? []).filter(({ layer }) => layer !== "gold"),
    dictionaryColumns: [
      ...contract.fields.filter((field) => field.accepted !== undefined).map((field) => field.name),
      "_producer",
      "_message",
    ],
    sortedBy: [],
    unbounded: unboundedOf(contract),
  };
}

/** Personal data, and the texts in which anything may stand. */
function unboundedOf({ fields }: Contract): string[] {
  return [...fields.filter(({ masking }) => masking !== undefined).map(({ name }) => name), "_extra", "_lexical"];
}

const ledgerTable: LedgerTable = {
  kind: "ledger",
  domain: LEDGER_TABLE,
  name: LEDGER_TABLE,
  layer: "silver",
  directory: "silver/ledger",
  partition: LEDGER_PARTITION,
  fields: LEDGER_FIELDS,
  checks: [],
  dictionaryColumns: ["topic", "term", "error_type"],
  sortedBy: [],
  unbounded: [],
};

function modelTable(model: CompiledModel): ModelTable {
  return {
    kind: "model",
    model,
    domain: model.name,
    name: model.name,
    layer: model.layer,
    directory: model.layer === "silver" ? model.name.replace("silver_", "silver/") : `gold/${model.name}`,
    partition: model.partition,
    fields: model.fields,
    checks: [...modelChecks(model), ...(goldChecks.get(model.name) ?? [])],
    dictionaryColumns: [],
    sortedBy: model.key,
    unbounded: readsUnbounded(model)
      ? model.fields.filter(({ type }) => type.kind === "utf8").map(({ name }) => name)
      : [],
  };
}

/** Whether a model reads a column that has no bounds: any of its texts may then show a value of it. */
function readsUnbounded({ inputs }: CompiledModel): boolean {
  return inputs.some(({ table, columns }) => {
    const model = models.find(({ name }) => name === table);
    if (model !== undefined) return readsUnbounded(model);
    const contract = contracts.find(({ topic }) => silverTableName(topic) === table);
    return contract !== undefined && unboundedOf(contract).some((name) => columns.includes(name));
  });
}

export const tables: readonly Table[] = [...contracts.map(topicTable), ledgerTable, ...models.map(modelTable)];

const byDomain = new Map(tables.map((table) => [table.domain, table]));
const byName = new Map(tables.map((table) => [table.name, table]));

export function tableOfDomain(domain: string): Table | undefined {
  return byDomain.get(domain);
}

export function tableByName(name: string): Table | undefined {
  return byName.get(name);
}

export function isEdgeModelTable(table: Table): table is EdgeModelTable {
  return table.kind === "model" && table.model.plan !== null;
}

/** What a partition of a table spans. */
export function grainOf(table: Table | undefined): Grain {
  return table?.kind === "model" ? table.model.grain : "day";
}

/** The domains of the models that read a table: what a commit to it makes stale. */
export function dependentsOf(name: string): string[] {
  return models.filter((model) => model.inputs.some((input) => input.table === name)).map((model) => model.name);
}
