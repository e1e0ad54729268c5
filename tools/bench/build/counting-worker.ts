/** The real Worker whose builds count what they do with D1 and R2; `/__operations` tells the counts so far. */
import worker from "../../../worker.ts";
import { countedBucket } from "../build-day/counted-bindings.ts";
import { countedDatabase } from "../build-day/counted-database.ts";
import { Tally } from "../build-day/tally.ts";
import { FOLDER_BINDING, folderBucket } from "./folder-bucket.ts";

// wrangler.toml wants the objects' classes of any entry.
export * from "../../../worker.ts";

const tally = new Tally("builds");
const wrapped = new WeakMap<Env, Env>();

function counted(env: Env): Env {
  let result = wrapped.get(env);
  if (result === undefined) {
    const folder: Fetcher = Reflect.get(env, FOLDER_BINDING);
    const bindings = {
      LAKE: countedBucket(folderBucket(env.LAKE, folder), tally),
      DB: countedDatabase(env.DB, tally),
    };
    result = new Proxy(env, { get: (object, name) => Reflect.get(bindings, name) ?? Reflect.get(object, name) });
    wrapped.set(env, result);
  }
  return result;
}

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/__operations") return Response.json(tally.operations);
    return worker.fetch(request, env, context);
  },
  queue: (batch, env) => worker.queue(batch, counted(env)),
  scheduled: (controller, env) => worker.scheduled(controller, counted(env)),
} satisfies ExportedHandler<Env>;
