/**
 * A model that the edge could build, given to the native builder, whose SQL takes seconds. To be imported before the Worker, which
 * reads it when it starts.
 */
import { models } from "../../../lakehouse/tables/compiled/models.generated.ts";

const SECONDS = "WHERE (SELECT sum(hash(i)) FROM range(80000000) t(i)) > 0\nGROUP BY";

for (const model of models) {
  if (model.name !== "daily_external_data") continue;
  Reflect.set(model, "engine", "native");
  Reflect.set(model, "sql", model.sql.replace("GROUP BY", SECONDS));
}
