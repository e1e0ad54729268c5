/**
 * Topics as users may write them, and nobody here would: JSON in YAML, anchors, names that are words of SQL and CEL, optional
 * decimals with a rule between them, values of every kind that are listed, masked items of lists, a window without a future.
 * What holds for every topic of the shop has to hold for these.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../contracts/contract.ts";
import { buildCodec, type SchemaCodec } from "../../schemas/codecs.ts";
import { compileContract } from "../../tools/build/contracts/compile.ts";
import { renderProblem } from "../../tools/build/problem.ts";
import { parseAvsc } from "../../tools/build/schemas/avsc.ts";

const FOLDER = join(import.meta.dirname, "odd-topics");

export const oddTopics: readonly { readonly contract: Contract; readonly codec: SchemaCodec }[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".yaml"))
  .map((name, index) => {
    const topic = name.replace(".yaml", "");
    const schema = parseAvsc(`${topic}.avsc`, readFileSync(join(FOLDER, `${topic}.avsc`), "utf8"));
    if (schema.record === undefined) throw new Error(schema.problems.map(renderProblem).join("\n"));
    const release = { id: 900_001 + index, topic, version: 1, schema: schema.record };
    const compiled = compileContract({ file: name, text: readFileSync(join(FOLDER, name), "utf8") }, [release]);
    if (!compiled.ok) throw new Error(compiled.problems.map(renderProblem).join("\n"));
    return { contract: compiled.contract, codec: buildCodec(release) };
  });
