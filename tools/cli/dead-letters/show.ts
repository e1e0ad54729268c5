/** `sluice dead-letters show ID`. */
import { z } from "zod";
import { CommandProblem } from "../../command-problem.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const letter = z.looseObject({
  payload: z.string().nullable(),
  payload_encoding: z.string(),
  payload_ref: z.string().nullable(),
});

export interface ShowOptions {
  readonly date: string | undefined;
  readonly payload: boolean;
  readonly json: boolean;
}

export async function show(platform: PlatformAddress, id: string, options: ShowOptions): Promise<void> {
  const day = options.date === undefined ? "" : `?date=${encodeURIComponent(options.date)}`;
  const answer = await callPlatform(platform, "GET", `/v1/dead-letters/${encodeURIComponent(id)}${day}`, letter);
  const { payload, payload_encoding: encoding, payload_ref: ref, ...rest } = answer;
  if (options.payload) {
    if (payload === null)
      throw new CommandProblem("NOT_READABLE", `The payload lies apart, in the lake's bucket: ${ref}`);
    process.stdout.write(encoding === "base64" ? Buffer.from(payload, "base64") : payload);
    return;
  }
  if (options.json) return console.log(JSON.stringify(answer, null, 2));
  console.log(JSON.stringify(rest, null, 2));
  console.log(payload === null ? `\npayload: ${ref} (${encoding})` : `\npayload (${encoding}):\n${payload}`);
}
