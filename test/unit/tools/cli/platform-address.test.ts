/** Which platform and which key a command means, and that it never has to be given the key where others see it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keyHelp, platformOf, warnOfPlainHttp } from "../../../../tools/platform-address.ts";

const URL_OF = { url: "http://127.0.0.1:8787" };
const dir = mkdtempSync(join(tmpdir(), "sluice-key-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

let warned: string[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void warned.push(String(line)));
  vi.stubEnv("SLUICE_KEY", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("the key", () => {
  it("is the flag's, else the file's, else the variable's, else the local one", () => {
    const path = file("key", "sk_staging_file\n");
    expect(platformOf(URL_OF).key).toBe("local-dev-key");
    vi.stubEnv("SLUICE_KEY", "sk_staging_variable");
    expect(platformOf(URL_OF).key).toBe("sk_staging_variable");
    expect(platformOf({ ...URL_OF, "key-file": path }).key).toBe("sk_staging_file");
    expect(platformOf({ ...URL_OF, key: "sk_staging_flag" }).key).toBe("sk_staging_flag");
    expect(() => platformOf({ ...URL_OF, key: "a", "key-file": path })).toThrow("leave one out");
  });

  it.each([
    ["nothing", ""],
    ["two keys", "sk_staging_a\nsk_staging_b\n"],
    ["JSON", '{ "key": "sk_staging_a" }'],
  ])("is not in a file that holds %s, and what it holds is not shown", (name, text) => {
    const path = file(name, text);
    expect(() => platformOf({ ...URL_OF, "key-file": path })).toThrow(`${path} must hold one key and nothing else`);
  });

  it("is not in a file that is not there, and the local key does not stand in for it", () => {
    expect(() => platformOf({ ...URL_OF, "key-file": join(dir, "none") })).toThrow(/--key-file: .*none cannot be read/);
    expect(() => platformOf({ ...URL_OF, "key-file": dir })).toThrow("cannot be read");
  });

  it("stands under its flags in every help", () => {
    expect(keyHelp("a key with the scope *:admin", 19).split("\n")).toEqual([
      "  --key-file FILE  a file that holds a key with the scope *:admin; if not given SLUICE_KEY, or the local key",
      "  --key KEY        the key itself: other users of this machine see it in the list of processes",
    ]);
  });
});

describe("a key over plain http", () => {
  it.each([
    "http://127.0.0.1:8787",
    "http://127.8.8.8",
    "http://localhost:8787/",
    "http://sluice.localhost:1",
    "http://[::1]:8787",
    "https://events.example.com",
  ])("to %s is nobody's business", (url) => {
    platformOf({ url });
    expect(warned).toEqual([]);
  });

  it.each([
    "http://events.example.com",
    "http://192.168.1.20:8787",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:8787",
    "http://10.0.0.1",
    "http://[fe80::1]:8787",
    "HTTP://Events.example.com/",
  ])("to %s is seen on the way, and said to be", (url) => {
    platformOf({ url });
    expect(warned).toEqual([expect.stringMatching(/^Warning: http:\/\/\S+ is not encrypted\. .*use https\.$/)]);
  });

  it("is named without what an address may hold besides the host", () => {
    warnOfPlainHttp(new URL("http://user:secret@events.example.com/path?k=1"));
    expect(warned[0]).toContain("Warning: http://events.example.com is");
  });
});
