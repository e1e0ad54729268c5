/** Deploys with other models or contracts over one lake: each is the project's code, imported anew, with these compiled into it. */
import { onTestFinished, vi } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { contracts as projectContracts } from "../../contracts/contracts.generated.ts";
import { tables } from "../../lakehouse/tables/catalog.ts";
import { DUCKDB_VERSION } from "../../lakehouse/tables/compiled/models.generated.ts";
import { compileModels } from "../../tools/build/models/compile-models.ts";
import type { Lake, LakeState } from "./lake.ts";

const silver = tables
  .filter((table) => table.kind !== "model")
  .map(({ name, partition, fields }) => ({ name, partition, fields }));

export interface Deployed {
  /** By path: the only models. */
  readonly models: Readonly<Record<string, string>>;
  /** Changes a contract of the project. */
  contract?(contract: Contract): Contract;
}

const MODELS = "../../lakehouse/tables/compiled/models.generated.ts";
const CONTRACTS = "../../contracts/contracts.generated.ts";

type Code = typeof import("./lake.ts");

/** Code by what is compiled into it, which no deploy has at this moment: to import it takes longer than most tests of it. */
const idle = new Map<string, Code[]>();

/** The lake as this deploy's planner and builders see it. `releasedAt` orders deploys. */
export async function deploy(
  deployed: Deployed,
  releasedAt: string,
  lake: { readonly state: LakeState } | number,
): Promise<Lake> {
  const code = await codeOf(deployed);
  return typeof lake === "number"
    ? new code.Lake(lake, undefined, undefined, releasedAt)
    : new code.Lake(0, undefined, lake.state, releasedAt);
}

/** Until the test ends nobody else has it: no two deploys share the state of a module. */
async function codeOf(deployed: Deployed): Promise<Code> {
  // What a function compiles cannot be told from its text.
  if (deployed.contract !== undefined) return await importCode(deployed);
  const key = JSON.stringify(deployed.models);
  const free = idle.get(key) ?? [];
  idle.set(key, free);
  const code = free.pop() ?? (await importCode(deployed));
  onTestFinished(() => void free.push(code));
  return code;
}

async function importCode({ models: texts, contract }: Deployed): Promise<Code> {
  const models = await compileModels({
    models: Object.entries(texts).map(([path, text]) => ({ path, text })),
    tables: silver,
  });
  vi.resetModules();
  // Test files share their modules: the next one has the project's own again.
  onTestFinished(() => {
    vi.doUnmock(MODELS);
    vi.doUnmock(CONTRACTS);
    vi.resetModules();
  });
  vi.doMock(MODELS, () => ({ DUCKDB_VERSION, models }));
  vi.doMock(CONTRACTS, () => ({
    contracts: contract === undefined ? projectContracts : projectContracts.map(contract),
  }));
  const code = await import("./lake.ts");
  const { loadParquetWasm } = await import("../../tools/build/parquet-wasm-node.ts");
  await loadParquetWasm();
  return code;
}
