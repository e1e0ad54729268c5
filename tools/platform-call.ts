/** Calls of a platform's HTTP interface, for commands: with a key, and with refusals that a person can read. */
import * as z from "zod";
import { CommandProblem } from "./command-problem.ts";
import { LOCAL_API_KEY } from "./local-platform/local-key.ts";

export interface PlatformAddress {
  readonly url: string;
  readonly key: string;
}

/** What the flags --url and --key say; SLUICE_KEY or the local key where there is none. */
export function platformOf(values: { readonly url: string; readonly key?: string | undefined }): PlatformAddress {
  return { url: values.url, key: values.key ?? process.env["SLUICE_KEY"] ?? LOCAL_API_KEY };
}

/** Tries of a call that is answered with 503: a flush or a build holds the lake for a moment. */
const TRIES = 5;
const LONGEST_WAIT_SECONDS = 10;

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
    const response = await send(platform, method, path, body);
    const text = await response.text();
    if (response.ok) return schema.parse(JSON.parse(text));
    if ((response.status !== 503 && response.status !== 429) || tries === TRIES) {
      throw new CommandProblem("PLATFORM_REFUSED", `${response.status}: ${detailOf(text)}`);
    }
    const seconds = Math.min(LONGEST_WAIT_SECONDS, Number(response.headers.get("retry-after") ?? 1));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  }
}

async function send(platform: PlatformAddress, method: string, path: string, body?: object): Promise<Response> {
  try {
    return await fetch(new URL(path, platform.url), {
      method,
      headers: { authorization: `Bearer ${platform.key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    throw new CommandProblem("PLATFORM_REFUSED", `${platform.url} does not answer. Does the platform run?`, { cause });
  }
}

const problem = z.object({ detail: z.string(), remedy: z.string().optional() });

function detailOf(text: string): string {
  try {
    const { detail, remedy } = problem.parse(JSON.parse(text));
    return remedy === undefined ? detail : `${detail}\n${remedy}`;
  } catch {
    return text.slice(0, 500);
  }
}
