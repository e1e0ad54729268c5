/** Deploys with other models or contracts over one lake: each is the project's code, imported anew, with these compiled into it. */
import { onTestFinished, vi } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { contracts as projectContracts } from "../../contracts/contracts.generated.ts";
import { tables } from "../../lakehouse/tables/catalog.ts";
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

/** The lake as this deploy's planner and builders see it. `releasedAt` orders deploys. */
export async function deploy(
  { models: texts, contract }: Deployed,
  releasedAt: string,
  lake: { readonly state: LakeState } | number,
): Promise<Lake> {
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
  vi.doMock(MODELS, () => ({ models }));
  vi.doMock(CONTRACTS, () => ({
    contracts: contract === undefined ? projectContracts : projectContracts.map(contract),
  }));
  const code = await import("./lake.ts");
  const { loadParquetWasm } = await import("../../tools/build/parquet-wasm-node.ts");
  await loadParquetWasm();
  return typeof lake === "number"
    ? new code.Lake(lake, undefined, undefined, releasedAt)
    : new code.Lake(0, undefined, lake.state, releasedAt);
}
