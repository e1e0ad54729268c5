/** The table of calls and the rights that they need, from the declarations that the gateway enforces. Pure: the text out. */
import { needText } from "../../gateway/access/need.ts";
import { operations } from "../../gateway/openapi/operations.ts";

export function accessTable(): string {
  const rows = operations.map(({ method, path, need }) => `| \`${method} ${path}\` | ${needText(need)} |`);
  return ["| call | needs |", "|---|---|", ...rows].join("\n");
}
