import { resolve } from "node:path";
import { expect, test } from "vitest";
import { completeLock, missingOptionalPackages, platformOf, readLock } from "../../../tools/build/complete-lock.ts";

test("the committed lock holds every platform's packages, so that npm ci works everywhere", () => {
  expect(missingOptionalPackages(readLock(resolve(import.meta.dirname, "../../..")))).toEqual([]);
});

test("a missing package is put beside the one that wants it", () => {
  const lock = {
    packages: {
      "": {},
      "node_modules/a": {
        version: "1.0.0",
        dev: true,
        optionalDependencies: { "a-linux-x64": "1.0.0", "a-darwin-arm64": "1.0.0" },
      },
      "node_modules/a-linux-x64": { version: "1.0.0" },
      "node_modules/w/node_modules/a": { version: "2.0.0", optionalDependencies: { "a-darwin-arm64": "2.0.0" } },
    },
  };
  const completed = completeLock(lock);
  expect(completed.packages["node_modules/a-darwin-arm64"]).toEqual({
    version: "1.0.0",
    dev: true,
    optional: true,
    os: ["darwin"],
    cpu: ["arm64"],
  });
  expect(completed.packages["node_modules/w/node_modules/a-darwin-arm64"]).toMatchObject({ version: "2.0.0" });
  expect(missingOptionalPackages(completed)).toEqual([]);
});

test("a platform package's name says where it runs", () => {
  expect(platformOf("@biomejs/cli-linux-x64-musl")).toEqual({ os: ["linux"], cpu: ["x64"], libc: ["musl"] });
  expect(platformOf("@cloudflare/workerd-windows-64")).toEqual({ os: ["win32"], cpu: ["x64"] });
});
