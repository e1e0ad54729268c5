/** The most memory that requests take in the gateway's isolate, above idle, under the worst that senders can do. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DEFAULT_LIMITS } from "../../gateway/deps.ts";
import { buildBundle } from "../build/bundle.ts";
import type { Bench } from "./bench.ts";
import { type Attack, attacks } from "./memory/attacks.ts";
import { MeasuredGateway } from "./memory/measured-gateway.ts";
import { nativeBuild } from "./memory/native-build.ts";

const BUDGET_MB = 90;

const root = resolve(import.meta.dirname, "../..");

export const bench: Bench = {
  explanation: `Starts the real bundle in raw Miniflare with V8's heap limited to an isolate's 128 MB (more, and workerd dies), the Durable Objects in an isolate of their own and nobody behind the queues.
Sends the bodies that cost most memory, alone and 20 or 50 at once, to the topic orders, and a native builder's gigabyte up and down, and asks V8's inspector every 2 ms what is in use: JavaScript objects, garbage included, and ArrayBuffers.
The figure is the most that any of them took above what the idle isolate has after a collection; budget ${BUDGET_MB} MB. ONLY=text runs those whose name has it. Needs Linux (/proc).`,
  async run(log) {
    const folder = mkdtempSync(join(tmpdir(), "sluice-memory-"));
    const bundle = await buildBundle({ root, outdir: "dist" });
    const only = process.env["ONLY"] ?? "";
    const { bodyBytes, documentBytes, idempotentBytes } = DEFAULT_LIMITS;
    const posted = attacks({ lines: bodyBytes, document: documentBytes, idempotent: idempotentBytes });
    const chosen = [...posted, nativeBuild];
    let gateway: MeasuredGateway | undefined;
    let worst = { name: "", mb: 0 };
    let crashes = 0;
    async function measure(attack: Attack): Promise<void> {
      gateway ??= await MeasuredGateway.start(root, bundle, mkdtempSync(join(folder, "storage-")));
      const figures = await gateway.measure(attack);
      if (figures === undefined) {
        log(`${attack.name}: workerd died`);
        crashes++;
        gateway = void (await gateway.stop());
        return;
      }
      const { mb, objectsMb, residentMb, seconds, answers } = figures;
      if (mb > worst.mb) worst = { name: attack.name, mb };
      const beside = `objects ${whole(objectsMb)}, resident ${whole(residentMb)}`;
      log(`${attack.name}: ${whole(mb)} MB (${beside}), ${seconds.toFixed(1)} s, answers ${answers}`);
    }
    try {
      for (const attack of chosen) if (attack.name.includes(only)) await measure(attack);
      const ratio = crashes > 0 ? Number.POSITIVE_INFINITY : worst.mb / BUDGET_MB;
      return { ratio, budget: 1, ok: ratio <= 1, worst_mb: worst.mb, worst: worst.name, crashes };
    } finally {
      await gateway?.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function whole(mb: number): string {
  return mb.toFixed(0);
}
