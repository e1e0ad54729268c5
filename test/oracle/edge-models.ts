import type { CompiledModel, EdgeModel } from "../../lakehouse/engine/ir/ir.ts";

/** The models, which all are the edge's: a test that runs their plans has no builder. */
export function edgeModels(models: readonly CompiledModel[]): EdgeModel[] {
  return models.map((model) => {
    if (model.plan === null) throw new Error(`${model.name} is native: ${model.class.reason} (${model.class.at})`);
    return model;
  });
}
