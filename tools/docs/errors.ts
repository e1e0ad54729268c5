/** docs/errors.md from the tables that the code itself answers from. Pure: the text out. */
import { ERROR_HELP, ERROR_TYPES } from "../../contracts/verdict.ts";
import { PROBLEMS } from "../../gateway/problem.ts";
import { REGISTRY_ERRORS } from "../../gateway/registry/error.ts";

const MAX_LINE = 118;

interface Entry {
  readonly heading: string;
  readonly lines: readonly (readonly [label: string, text: string])[];
}

export function errorsPage(): string {
  const types = ERROR_TYPES.map((type): Entry => ({ heading: `\`${type}\``, lines: explanation(ERROR_HELP[type]) }));
  const problems = Object.entries(PROBLEMS).map(
    ([code, { status, title, ...help }]): Entry => ({
      heading: `\`${code}\` (${status})`,
      lines: [["", `${title}.`], ...explanation(help)],
    }),
  );
  const registry = Object.entries(REGISTRY_ERRORS).map(
    ([code, { title, ...help }]): Entry => ({
      heading: `${code}: ${title}`,
      lines: explanation(help),
    }),
  );
  return `<!-- Written by \`npm run docs\` from contracts/verdict.ts, gateway/problem.ts and gateway/registry/error.ts. Do not edit. -->

# Errors

Two things can be refused: an event, with one or more error types in its verdict, and a request as a whole, with one
problem code. Names are stable, texts are not: decide by \`error_type\` and \`code\`, show \`detail\` to people.

## An event is refused: \`error_type\`

In \`results[].errors[]\` of the answer to \`POST /v1/topics/{topic}/events\`, and in the dead letter that keeps the event.
\`pointer\` says where in the event, \`rule\` which rule of the contract, \`detail\` what was expected and what came.

${render(types)}
A verdict \`retry\` is no refusal: the event was not stored (\`code\` says by whom: \`QUEUE_UNAVAILABLE\`,
\`STORAGE_UNAVAILABLE\`), so send it again after the seconds that \`Retry-After\` says.

## A request is refused: \`code\`

The body is \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`code\`, \`detail\`, \`remedy\`,
\`request_id\`. Nothing of a refused request is stored, save the dead letter of a document that cannot be read.

${render(problems)}
## The schema registry refuses: \`error_code\`

Under \`/registry\` errors have the Confluent Schema Registry's form, \`{"error_code": ..., "message": ...}\`. The first
three digits are the HTTP status.

${render(registry)}`;
}

function explanation({ cause, remedy }: { readonly cause: string; readonly remedy: string }): Entry["lines"] {
  return [
    ["Cause", cause],
    ["Remedy", remedy],
  ];
}

function render(entries: readonly Entry[]): string {
  return entries
    .map(({ heading, lines }) => {
      const texts = lines.map(([label, text]) => (label === "" ? text : wrapped(`- ${label}: ${text}`, "  ")));
      const [first, ...rest] = texts;
      const body = lines[0]?.[0] === "" ? [`${first}`, "", ...rest] : texts;
      return `### ${heading}\n\n${body.join("\n")}\n`;
    })
    .join("\n");
}

/** Lines of at most 118 characters, broken at spaces; all but the first begin with `indent`. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > MAX_LINE) {
      lines.push(line);
      line = indent + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
