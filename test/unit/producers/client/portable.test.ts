/** The client needs nothing of Node: bundled for browsers it has no import left, and it runs in workerd. */
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { Miniflare, type Request, Response } from "miniflare";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../../..");

async function bundle(contents: string) {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const text = outputFiles[0]?.text ?? "";
  return { text, inputs: Object.keys(metafile.inputs).filter((input) => input !== "<stdin>") };
}

test("bundled for browsers it is its own files and nothing else", async () => {
  const { text, inputs } = await bundle('export * from "./producers/client/client.ts"');
  expect(inputs.every((input) => input.startsWith("producers/client/"))).toBe(true);
  expect(text).not.toMatch(/\bnode:|\brequire\(|\bprocess\.|\bBuffer\b/);
  expect(text.length).toBeLessThan(40_000);
});

const WORKER = `
import { createClient } from "./producers/client/client.ts";
export default {
  async fetch() {
    const client = createClient<Record<string, object>>({
      url: "http://gateway.test", key: "k", lingerMs: 5, eventIdFields: { a: "event_id" },
    });
    const sent = Array.from({ length: 3 }, (_, n) => client.send("a", { n, pad: "x".repeat(2_000) }));
    await client.close();
    return Response.json(await Promise.all(sent));
  },
};`;

test("in workerd it sends, compressed, and ends", async () => {
  const { text } = await bundle(WORKER);
  const bodies: string[] = [];
  const miniflare = new Miniflare({
    modules: true,
    script: text,
    compatibilityDate: "2026-07-30",
    cf: false,
    async outboundService(request: Request) {
      expect(request.headers.get("content-encoding")).toBe("gzip");
      bodies.push(gunzipSync(await request.arrayBuffer()).toString("utf8"));
      return Response.json(
        { request_id: "r", topic: "a", accepted: 3, rejected: 0, retry: 0, results: [] },
        { status: 202 },
      );
    },
  });
  try {
    const response = await miniflare.dispatchFetch("http://worker.test/");
    const ids = bodies
      .join("")
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line).event_id);
    expect(ids).toHaveLength(3);
    expect(await response.json()).toEqual(ids.map((eventId) => ({ status: "accepted", eventId })));
  } finally {
    await miniflare.dispose();
  }
});
