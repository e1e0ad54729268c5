/** Calls of a platform that give JSON, for commands that read. */
import { z } from "zod";
import { CommandProblem } from "../command-problem.ts";

export interface PlatformAddress {
  readonly url: string;
  readonly key: string;
}

const TIMEOUT_MS = 60_000;
const problemSchema = z.object({ detail: z.string() });

/** GETs `path` with the parameters that have a value. Throws CommandProblem (PLATFORM_REFUSED) for any answer but a good one. */
export async function getJson(
  platform: PlatformAddress,
  path: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  const address = new URL(path, platform.url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) address.searchParams.set(name, value);
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      headers: { authorization: `Bearer ${platform.key}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (cause) {
    throw new CommandProblem("PLATFORM_REFUSED", `${platform.url} does not answer. Does the platform run?`, { cause });
  }
  const body = parsed(text);
  if (response.ok && body !== undefined) return body;
  const problem = problemSchema.safeParse(body);
  const detail = problem.success ? problem.data.detail : text.slice(0, 500);
  throw new CommandProblem("PLATFORM_REFUSED", `${response.status}: ${detail}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
