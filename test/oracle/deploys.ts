/** Deploys with other models or contracts over one lake: each is the project's code, imported anew, with these compiled into it. */
import { vi } from "vitest";
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
  vi.doMock("../../lakehouse/tables/compiled/models.generated.ts", () => ({ models }));
  vi.doMock("../../contracts/contracts.generated.ts", () => ({
    contracts: contract === undefined ? projectContracts : projectContracts.map(contract),
  }));
  const code = await import("./lake.ts");
  const { loadParquetWasm } = await import("../../tools/build/parquet-wasm-node.ts");
  await loadParquetWasm();
  return typeof lake === "number"
    ? new code.Lake(lake, undefined, undefined, releasedAt)
    : new code.Lake(0, undefined, lake.state, releasedAt);
}
