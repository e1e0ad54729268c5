/** Which platform a command means, and the key that it shows there: flags, a file, or the environment. */
import { readFileSync } from "node:fs";
import { CommandProblem } from "./command-problem.ts";
import { LOCAL_API_KEY } from "./local-platform/local-key.ts";

export interface PlatformAddress {
  readonly url: string;
  readonly key: string;
}

const LOCAL_URL = "http://127.0.0.1:8787";

/** The flags of the key; `keyOf` reads them. */
export const KEY_OPTIONS = { key: { type: "string" }, "key-file": { type: "string" } } as const;

/** The flags by which every command says which platform it means; `platformOf` reads them. */
export const PLATFORM_OPTIONS = { url: { type: "string", default: LOCAL_URL }, ...KEY_OPTIONS } as const;

/** What KEY_OPTIONS come to. */
export interface KeyFlags {
  readonly key?: string | undefined;
  readonly "key-file"?: string | undefined;
}

/** The lines of a command's help on the flags of its key: `what` the key must be, and the column at which the texts begin. */
export function keyHelp(what: string, column: number): string {
  const line = (flag: string, text: string) => `  ${flag}`.padEnd(column) + text;
  return [
    line("--key-file FILE", `a file that holds ${what}; if not given SLUICE_KEY, or the local key`),
    line("--key KEY", "the key itself: other users of this machine see it in the list of processes"),
  ].join("\n");
}

/** The lines of a command's help on all of PLATFORM_OPTIONS. */
export function platformHelp(what: string, column: number): string {
  return `${"  --url URL".padEnd(column)}the platform (${LOCAL_URL})\n${keyHelp(what, column)}`;
}

/** What the flags of PLATFORM_OPTIONS say. Warns as `warnOfPlainHttp`. Throws CommandProblem (USAGE) for what is no address, and as `keyOf`. */
export function platformOf(values: KeyFlags & { readonly url: string }): PlatformAddress {
  const parsed = URL.parse(values.url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new CommandProblem("USAGE", `--url takes an address such as ${LOCAL_URL}, not "${values.url}".`);
  }
  const key = keyOf(values);
  warnOfPlainHttp(parsed);
  return { url: parsed.href.replace(/\/+$/, ""), key };
}

/** The key: of --key, else of the file, else of SLUICE_KEY, else the local one. Throws CommandProblem (USAGE) for a file that holds no key. */
export function keyOf({ key, "key-file": file }: KeyFlags): string {
  if (key !== undefined && file !== undefined)
    throw new CommandProblem("USAGE", "--key and --key-file both give a key: leave one out.");
  return key ?? (file === undefined ? undefined : keyIn(file)) ?? process.env["SLUICE_KEY"] ?? LOCAL_API_KEY;
}

function keyIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandProblem("USAGE", `--key-file: ${file} cannot be read (${why}).`, { cause });
  }
  // Not quoted: it may be another secret.
  if (/^\S+$/.test(text)) return text;
  throw new CommandProblem("USAGE", `--key-file: ${file} must hold one key and nothing else.`);
}

/** Says so on standard error when a key is about to go to another machine as plain text. */
export function warnOfPlainHttp(url: URL): void {
  if (url.protocol !== "http:" || isThisMachine(url.hostname)) return;
  console.error(
    `Warning: ${url.origin} is not encrypted. The key and all that is sent or read can be seen by anybody on the way there: use https.`,
  );
}

function isThisMachine(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
