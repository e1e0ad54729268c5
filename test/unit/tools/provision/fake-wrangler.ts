/** An account in memory behind wrangler's commands; it answers in wrangler's formats and fails where it is told to. */
import type { Wrangler, WranglerAnswer } from "../../../../tools/provision/wrangler.ts";

export interface FakeAccount {
  readonly queues: Set<string>;
  readonly buckets: Set<string>;
  readonly databases: Map<string, string>;
  /** By name; undefined while there is no Worker. */
  secrets: Map<string, string> | undefined;
  readonly migrated: string[];
  /** Every command, in order. */
  readonly commands: string[];
  /** The answer to a command that starts with this text is the failure. */
  fail: { readonly prefix: string; readonly said: string } | undefined;
  readonly wrangler: Wrangler;
}

/** The account pages its queues by this many. */
const PAGE = 20;

export function fakeAccount(worker: string): FakeAccount {
  const account: FakeAccount = {
    queues: new Set(),
    buckets: new Set(),
    databases: new Map(),
    secrets: undefined,
    migrated: [],
    commands: [],
    fail: undefined,
    async wrangler(args, input) {
      const line = args.join(" ");
      account.commands.push(line);
      const { fail } = account;
      if (fail !== undefined && line.startsWith(fail.prefix)) return refused(fail.said);
      return answer(account, worker, line.replace(/ --env \S+$/, ""), input);
    },
  };
  return account;
}

const said = (stdout: string): WranglerAnswer => ({ exitCode: 0, stdout, stderr: "" });
const refused = (stderr: string): WranglerAnswer => ({ exitCode: 1, stdout: "", stderr });

function answer(account: FakeAccount, worker: string, line: string, input: string | undefined): WranglerAnswer {
  const name = line.split(" ").at(-1) ?? "";
  if (line.startsWith("queues list --page ")) {
    const page = [...account.queues].slice((Number(name) - 1) * PAGE, Number(name) * PAGE);
    const rows = page.map((queue, n) => `│ ${n}f00 │ ${queue} │ 2026-01-01T00:00:00Z │ 0 │ 1 │\n├──┼──┼──┼──┼──┤`);
    return said(["┌──┬──┬──┬──┬──┐", "│ id │ name │ created_on │ producers │ consumers │", ...rows].join("\n"));
  }
  if (line.startsWith("queues create "))
    return add(account.queues, name, `Queue name '${name}' is already taken. [code: 11009]`);
  if (line === "r2 bucket list") {
    return said(
      `Listing buckets...\n${[...account.buckets].map((bucket) => `name:           ${bucket}\ncreation_date:  2026`).join("\n\n")}`,
    );
  }
  if (line.startsWith("r2 bucket create "))
    return add(account.buckets, name, "The bucket you tried to create already exists. [code: 10004]");
  if (line === "d1 list --json")
    return said(JSON.stringify([...account.databases].map(([key, uuid]) => ({ uuid, name: key }))));
  if (line.startsWith("d1 create ")) {
    account.databases.set(name, `d1d1d1d1-0000-4000-8000-${String(account.databases.size).padStart(12, "0")}`);
    return said("Successfully created DB");
  }
  if (line.startsWith("d1 migrations apply ")) {
    account.migrated.push(line.split(" ")[3] ?? "");
    return said("No migrations to apply!");
  }
  if (line === "secret list --format json") {
    if (account.secrets === undefined)
      return refused(
        `Worker "${worker}" (env: staging) not found.\n\nIf this is a new Worker, run \`wrangler deploy\` first to create it.`,
      );
    return said(JSON.stringify([...account.secrets.keys()].map((secret) => ({ name: secret, type: "secret_text" }))));
  }
  if (line.startsWith("secret put ")) {
    account.secrets ??= new Map();
    account.secrets.set(name, input ?? "");
    return said(`Success! Uploaded secret ${name}`);
  }
  return refused(`Unknown command: ${line}`);
}

function add(names: Set<string>, name: string, taken: string): WranglerAnswer {
  if (names.has(name)) return refused(taken);
  names.add(name);
  return said(`Created ${name}`);
}
