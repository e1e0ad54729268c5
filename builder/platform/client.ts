/** The platform's calls as a builder makes them: `/v1/builds/*` of lakehouse/builds/native/wire.ts. */
import type * as z from "zod";
import {
  BUILDER_PROTOCOL,
  type Builder,
  type CommitAnswer,
  type CommitRequest,
  commitAnswerSchema,
  type FailRequest,
  type JoinRequest,
  type LeaseAnswer,
  type LeaseRequestBody,
  leaseAnswerSchema,
  openAnswerSchema,
  outputAnswerSchema,
  type RenewRequest,
} from "../../lakehouse/builds/native/wire.ts";
import { demandProtocol, OtherVersionError } from "./protocol.ts";
import { RefusedError } from "./refusal.ts";
import { type RetryBounds, untilAnswered } from "./retry.ts";

export type OutputAnswer = z.infer<typeof outputAnswerSchema>;

export interface PlatformClient {
  /** Asks for work. `signal` ends the waiting for a platform that does not answer. */
  lease(builder: Builder, bounds: LeaseBounds): Promise<LeaseAnswer>;
  renew(run: string, standing: RenewRequest, signal: AbortSignal): Promise<void>;
  fail(run: string, failure: FailRequest, signal: AbortSignal): Promise<void>;
  commit(run: string, commit: CommitRequest, signal: AbortSignal): Promise<CommitAnswer>;
  /** An input's bytes from `from` on, of the version `etag` if one is given. One try: the caller goes on from where it ended. */
  input(run: string, file: string, from: number, etag: string | undefined, signal: AbortSignal): Promise<Response>;
  putOutput(run: string, n: number, bytes: Blob, signal: AbortSignal): Promise<OutputAnswer>;
  /** Begins a file that goes up in parts. */
  openOutput(run: string, n: number, signal: AbortSignal): Promise<string>;
  putPart(
    run: string,
    n: number,
    upload: string,
    part: number,
    bytes: Blob,
    signal: AbortSignal,
  ): Promise<OutputAnswer>;
  joinOutput(run: string, n: number, join: JoinRequest, signal: AbortSignal): Promise<OutputAnswer>;
}

export type LeaseBounds = Pick<RetryBounds, "giveUpAfterMs" | "signal" | "onFailure">;

const CALL = { giveUpAfterMs: 120_000, timeoutMs: 30_000 } as const;
/** A renewal that comes too late is not worth having: the next one is on its way. */
const RENEWAL = { giveUpAfterMs: 8_000, timeoutMs: 8_000 } as const;
/** The platform looks at every file before it answers. */
const COMMIT = { giveUpAfterMs: 300_000, timeoutMs: 120_000 } as const;
/** 64 MB by a slow line. */
const UPLOAD = { giveUpAfterMs: 1_200_000, timeoutMs: 300_000 } as const;
/** Whoever waits for a stopped builder to end does not wait longer. */
const FAIL = { giveUpAfterMs: 10_000, timeoutMs: 5_000 } as const;

export function createPlatformClient({ url, key }: { readonly url: string; readonly key: string }): PlatformClient {
  const authorization = `Bearer ${key}`;
  const address = (path: string) => new URL(`${url}/v1/builds/${path}`);

  function post(path: string, body: object | undefined, bounds: RetryBounds): Promise<string> {
    return untilAnswered(bounds, (signal) =>
      fetch(address(path), {
        method: "POST",
        headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  async function put(target: URL, bytes: Blob, signal: AbortSignal): Promise<OutputAnswer> {
    const answer = await untilAnswered({ ...UPLOAD, signal }, (each) =>
      fetch(target, { method: "PUT", headers: { authorization }, signal: each, body: bytes }),
    );
    return parsed(answer, outputAnswerSchema);
  }

  return {
    async lease(builder, bounds) {
      const body: LeaseRequestBody = { protocol: BUILDER_PROTOCOL, builder };
      const answer = jsonOf(await post("lease", body, { timeoutMs: CALL.timeoutMs, ...bounds }));
      demandProtocol(answer);
      return valid(leaseAnswerSchema, answer);
    },
    async renew(run, standing, signal) {
      await post(`runs/${run}/renew`, standing, { ...RENEWAL, signal });
    },
    async fail(run, failure, signal) {
      await post(`runs/${run}/fail`, failure, { ...FAIL, signal });
    },
    async commit(run, commit, signal) {
      return parsed(await post(`runs/${run}/commit`, commit, { ...COMMIT, signal }), commitAnswerSchema);
    },
    input(run, file, from, etag, signal) {
      const target = address(`runs/${run}/inputs`);
      target.searchParams.set("file", file);
      return fetch(target, {
        headers: {
          authorization,
          ...(from === 0 ? {} : { range: `bytes=${from}-` }),
          ...(etag === undefined ? {} : { "if-match": etag }),
        },
        signal,
      });
    },
    putOutput: (run, n, bytes, signal) => put(address(`runs/${run}/outputs/${n}`), bytes, signal),
    async openOutput(run, n, signal) {
      return parsed(await post(`runs/${run}/outputs/${n}/open`, undefined, { ...CALL, signal }), openAnswerSchema)
        .upload;
    },
    putPart(run, n, upload, part, bytes, signal) {
      const target = address(`runs/${run}/outputs/${n}`);
      target.searchParams.set("upload", upload);
      target.searchParams.set("part", String(part));
      return put(target, bytes, signal);
    },
    async joinOutput(run, n, join, signal) {
      return parsed(await post(`runs/${run}/outputs/${n}/join`, join, { ...COMMIT, signal }), outputAnswerSchema);
    },
  };
}

function parsed<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  return valid(schema, jsonOf(text));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedError(200, undefined, `no JSON came but: ${text.slice(0, 200)}. Does --url name the platform?`);
  }
}

function valid<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.infer<Schema> {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return data;
  const [issue] = error.issues;
  const fault = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`;
  throw new OtherVersionError(
    `an answer is not of protocol ${BUILDER_PROTOCOL} (${fault}). Start the builder of the platform's own version.`,
  );
}
