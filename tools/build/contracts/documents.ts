/** The contracts' own texts for the Worker: `/v1/contracts/{topic}` answers the document that people wrote. */
import { parseYaml } from "./yaml-document.ts";

export interface ContractDocument {
  readonly topic: string;
  readonly file: string;
  readonly text: string;
}

/**
 * The module `contracts/documents/documents.generated.ts`. Both forms are string literals, parsed by nobody at start: with a
 * hundred topics, objects would cost the Worker a good part of its startup.
 */
export function renderDocuments(documents: readonly ContractDocument[]): string {
  const entries = documents.map(({ topic, file, text }) => {
    const json = JSON.stringify(parseYaml(file, text).value);
    return `  [${JSON.stringify(topic)}, { yaml: ${JSON.stringify(text)}, json: ${JSON.stringify(json)} }],\n`;
  });
  return `// Written by \`npm run compile\`. Do not edit: change the contract instead.

/** A contract's document (ODCS 3.1) as its file has it, and the same as JSON; by topic. */
export const documents: ReadonlyMap<string, { readonly yaml: string; readonly json: string }> = new Map([
${entries.join("")}]);
`;
}
