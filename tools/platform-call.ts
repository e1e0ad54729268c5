/** Calls of a platform's HTTP interface, for commands: with a key, and with refusals that a person can read. */
import * as z from "zod";
import { CommandProblem } from "./command-problem.ts";
import type { PlatformAddress } from "./platform-address.ts";

/** A retry or a replay looks through files before it answers. */
const TIMEOUT_MS = 120_000;
/** Tries of a call that is answered with 503: a flush or a build holds the lake for a moment. */
const TRIES = 5;
const LONGEST_WAIT_SECONDS = 10;

/** A path with the parameters that have a value. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * The answer's JSON by its schema. Waits out 503 and 429 as Retry-After says, a few times. Throws CommandProblem
 * (PLATFORM_REFUSED) for what is refused, and where the platform does not answer.
 */
export async function callPlatform<Schema extends z.ZodType>(
  platform: PlatformAddress,
  method: "GET" | "POST",
  path: string,
  schema: Schema,
  body?: object,
): Promise<z.infer<Schema>> {
  for (let tries = 1; ; tries++) {
    const { response, text } = await send(platform, method, path, body);
    if (response.ok) return schema.parse(jsonOf(text));
    if ((response.status !== 503 && response.status !== 429) || tries === TRIES) {
      throw new CommandProblem("PLATFORM_REFUSED", `${response.status}: ${detailOf(text)}`);
    }
    const seconds = Math.min(LONGEST_WAIT_SECONDS, Number(response.headers.get("retry-after") ?? 1));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  }
}

async function send(
  platform: PlatformAddress,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly response: Response; readonly text: string }> {
  try {
    const response = await fetch(new URL(path, platform.url), {
      method,
      headers: { authorization: `Bearer ${platform.key}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { response, text: await response.text() };
  } catch (cause) {
    const remedy = "Start the platform (npm run dev), or give its address with --url.";
    throw new CommandProblem("PLATFORM_REFUSED", `${platform.url} does not answer. ${remedy}`, { cause });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandProblem("PLATFORM_REFUSED", `No JSON but: ${text.slice(0, 500)}`, { cause });
  }
}

const problem = z.object({
  detail: z.string(),
  remedy: z.string().optional(),
  topics: z.array(z.string()).optional(),
});

function detailOf(text: string): string {
  try {
    const { detail, remedy, topics } = problem.parse(JSON.parse(text));
    if (topics !== undefined) return `${detail}\nThere are: ${topics.join(", ")}.`;
    // Remedies that quote fields of the answer are for those who see it; here the detail says as much.
    return remedy === undefined || remedy.includes("`") ? detail : `${detail}\n${remedy}`;
  } catch {
    return text.slice(0, 500);
  }
}
