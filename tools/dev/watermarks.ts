/** How far polled databases were read, a small file a topic: what a simulator that is started again goes on from. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";

export interface Watermarks {
  /** Milliseconds since the epoch; null: never read, or reset. */
  read(topic: string): number | null;
  write(topic: string, watermarkMs: number): void;
  /** Forgets how far the topic was read, for every platform. */
  reset(topic: string): void;
}

/** By platform: a database that one platform has seen is news to another. */
const file = z.record(z.string(), z.iso.datetime());

/** Watermarks in `dir`, which is made when the first is written, of what was sent to the platform at `url`. A damaged file counts as none. */
export function fileWatermarks(dir: string, url: string): Watermarks {
  const pathOf = (topic: string) => join(dir, `${topic}.json`);
  function all(topic: string): Readonly<Record<string, string>> {
    try {
      return file.parse(JSON.parse(readFileSync(pathOf(topic), "utf8")));
    } catch {
      return {};
    }
  }
  return {
    read(topic) {
      const text = all(topic)[url];
      return text === undefined ? null : Date.parse(text);
    },
    write(topic, watermarkMs) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const draft = `${pathOf(topic)}.draft`;
      const marks = { ...all(topic), [url]: new Date(watermarkMs).toISOString() };
      writeFileSync(draft, `${JSON.stringify(marks, null, 2)}\n`, { mode: 0o600 });
      renameSync(draft, pathOf(topic));
    },
    reset(topic) {
      rmSync(pathOf(topic), { force: true });
    },
  };
}
