import { runPlatformPhase } from "./platform-phase.ts";
const t = performance.now();
const r = await runPlatformPhase({ seed: Number(process.argv[2] ?? 1), kills: Number(process.argv[3] ?? 5), eventsPerSecond: 3000, seconds: Infinity, onKill: (n) => console.log("kill", n, Math.round(performance.now() - t)) });
console.log(JSON.stringify(r, null, 1), Math.round(performance.now() - t));
