/** A native builder beside a life of the platform: killed at a random moment of it, as anything else. */
import { models } from "../../lakehouse/tables/compiled/models.generated.ts";
import { needBuilder, startBuilderProcess } from "../local-platform/builder-process.ts";

/** What a report calls its kills. */
export const BUILDER_KILL = "native-builder kill";

export interface BuilderBeside {
  /** Ends it by kill -9, if it was not killed before. Resolves when it is gone. */
  end(): Promise<void>;
}

const NOBODY: BuilderBeside = { end: async () => {} };

/**
 * Starts one, where a model needs it; `killAfterMs`: until then, and then another one in its place, which finds what it left. Its folder
 * is the same in all lives.
 */
export function builderBeside(
  platform: { readonly url: string; readonly apiKey: string },
  dir: string,
  killAfterMs: number | undefined,
  onKill: () => void,
): BuilderBeside {
  if (!needBuilder(models)) return NOBODY;
  const start = () => startBuilderProcess({ ...platform, dir, memory: "300MB" });
  let builder = start();
  let over = false;
  const kill = async () => {
    builder.kill();
    onKill();
    await builder.gone;
    if (!over) builder = start();
  };
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => void kill(), killAfterMs);
  return {
    async end() {
      over = true;
      clearTimeout(timer);
      builder.kill();
      await builder.gone;
    },
  };
}
