import { requireKind } from "../columns/column-kind.ts";
import type { Call } from "../ir/ir.ts";
import { createBytesWriter } from "./bytes-writer.ts";
import { type JsonStep, jsonTextAt } from "./json-text.ts";
import { requireText } from "./strings.ts";
import { argument, type Kernel, type Unsupported, unsupported } from "./vector.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const STEP = /(?:\.(?:"([^"\\]+)"|([^."'[\]*?#\s]+))|\[(\d{1,9})\])/y;

/** `json ->> 'name'` and `json ->> '$.a."b c"[0]'` (`json_extract_string`), with a constant path. */
export function bindJsonText(call: Call): Kernel | Unsupported {
  const written = call.args[1];
  const path = written?.node === "constant" && typeof written.value === "string" ? pathOf(written.value) : undefined;
  if (path === undefined || call.args.length !== 2 || call.type.kind !== "utf8")
    return unsupported(`${call.name} takes a constant name, or a path such as '$.a."b c"[0]'`);
  return (
    requireText(call) ??
    ((columns, length) => {
      const { bytes, offsets, nulls } = requireKind(argument(columns, 0), "bytes");
      const writer = createBytesWriter(length);
      const outNulls = nulls?.slice(0, length) ?? new Uint8Array(length);
      for (let row = 0; row < length; row++) {
        const text =
          outNulls[row] === 1
            ? undefined
            : jsonTextAt(decoder.decode(bytes.subarray(offsets[row]!, offsets[row + 1]!)), path);
        if (text === undefined) outNulls[row] = 1;
        else writer.appendText(text);
        writer.endRow();
      }
      return writer.finish(outNulls.includes(1) ? outNulls : undefined);
    })
  );
}

/** The steps of a path; a text that begins with neither `$` nor `/` is one name. */
function pathOf(text: string): readonly JsonStep[] | undefined {
  if (text === "" || text.startsWith("/")) return undefined;
  if (!text.startsWith("$")) return [text];
  const steps: JsonStep[] = [];
  let at = 1;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return undefined;
    const [whole, quoted, plain, place] = match;
    steps.push(place === undefined ? (quoted ?? plain ?? "") : Number(place));
    at += whole.length;
  }
  return steps;
}
