import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
let image = "";

/** The project as the image has it, by the COPY lines of its Dockerfile. */
beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), "sluice-image-"));
  for (const [, list = ""] of readFileSync(join(root, "builder/Dockerfile"), "utf8").matchAll(/^COPY (.+)$/gm)) {
    const paths = list.split(" ");
    const target = paths.pop() ?? "";
    for (const path of paths) {
      const to = target.endsWith("/")
        ? join(image, target, path.slice(path.lastIndexOf("/") + 1))
        : join(image, target);
      mkdirSync(join(to, ".."), { recursive: true });
      cpSync(join(root, path), to, { recursive: true });
    }
  }
  const dependencies = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies);
  for (const name of dependencies) {
    mkdirSync(join(image, "node_modules", name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(image, "node_modules", name));
  }
});

afterAll(() => rmSync(image, { recursive: true, force: true }));

test("the image has all that the builder imports: it comes to the point where it asks for work", async () => {
  const flags = ["tools/cli/main.ts", "builder", "--json", "--once", "--dir", join(image, "data")];
  // A platform that refuses the key: the first answer ends it.
  const asked = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    asked.resolve(`${request.method} ${request.url}`);
    response.writeHead(401, { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ status: 401, code: "UNAUTHENTICATED", title: "no such key", detail: "no such key" }));
  });
  await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const run = promisify(execFile)(process.execPath, [...flags, "--url", `http://127.0.0.1:${port}`], { cwd: image });
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no such key") });
    expect(await asked.promise).toBe("POST /v1/builds/lease");
  } finally {
    server.close();
  }
});
