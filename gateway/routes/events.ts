/** `POST /v1/topics/{topic}/events`: parse, call, answer. */
import { admitterOf, type TopicAdmitter } from "../admit/topics.ts";
import { answerOf, responseOf } from "../answer.ts";
import { type DecodedBody, EmptyBody, MalformedBody, TooManyEvents } from "../bodies/decoded-body.ts";
import { decodeJson } from "../bodies/json.ts";
import { type BodyFormat, formatOf, MEDIA_TYPES } from "../bodies/media-type.ts";
import { decodeNdjson } from "../bodies/ndjson.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { type IngestRequest, judge, store } from "../ingest.ts";
import { allows } from "../middleware/auth/grant.ts";
import { ProblemError } from "../problem.ts";
import { knownTopic } from "./topics.ts";

interface Options {
  readonly dryRun: boolean;
  readonly allResults: boolean;
  readonly schemaVersion: number | null;
}

export function postEvents(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postEvents(c) {
    const received = deps.clock.now() * 1_000;
    const admitter = writableTopic(c);
    const format = formatOfRequest(c);
    const options = optionsOf(c);
    const body = await c.get("readBody")();
    const base = {
      admitter,
      requestId: c.get("requestId"),
      producer: c.get("grant").producer,
      received,
      schemaVersion: options.schemaVersion,
      body,
    };
    const wide = c.get("wideEvent");
    Object.assign(wide, { topic: admitter.contract.topic, bytes: body.byteLength, dry_run: options.dryRun });

    const decoded = await decode(format, base, options, deps);
    const request: IngestRequest = { ...base, decoded };
    const judged = judge(request);
    const stored = options.dryRun ? NOTHING_STORED : await store(judged, request, deps);
    const answer = answerOf(judged, stored.retry, request, options);
    const { accepted, rejected, retry } = answer;
    Object.assign(wide, { events: decoded.events.length, accepted, rejected, retry, messages: stored.messages });
    return responseOf(answer);
  };
}

const NOTHING_STORED = { retry: new Map(), messages: 0 } as const;

/** The topic's admitter, if it exists and this key may write to it. */
function writableTopic(c: GatewayContext): TopicAdmitter {
  const { topic, platformOnly } = knownTopic(c.req.param("topic"));
  if (platformOnly) {
    throw new ProblemError("PLATFORM_TOPIC", `${topic} is written by the platform itself; producers cannot post to it`);
  }
  if (!allows(c.get("grant"), topic, "write")) {
    throw new ProblemError("FORBIDDEN", `the key needs the scope "${topic}:write" or "*:write"`);
  }
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`topic ${topic} has a contract but no admitter`);
  return admitter;
}

function formatOfRequest(c: GatewayContext): BodyFormat {
  const encoding = c.req.header("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new ProblemError(
      "UNSUPPORTED_CONTENT_ENCODING",
      `compressed bodies are not taken yet (got ${encoding.slice(0, 50)}): send the body as it is`,
    );
  }
  const contentType = c.req.header("content-type");
  const format = formatOf(contentType);
  if (format !== undefined) return format;
  const got = contentType === undefined ? "none" : `"${contentType.slice(0, 100)}"`;
  throw new ProblemError(
    "UNSUPPORTED_MEDIA_TYPE",
    `send UTF-8 with Content-Type ${MEDIA_TYPES.join(", ")}; got ${got}`,
  );
}

function optionsOf(c: GatewayContext): Options {
  const dryRun = c.req.query("dry_run") ?? "false";
  if (dryRun !== "true" && dryRun !== "false") throw invalid("dry_run is true or false");
  const results = c.req.query("results");
  if (results !== undefined && results !== "all") throw invalid("results is all, or absent for those not accepted");
  const version = c.req.header("sluice-schema-version");
  if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) {
    throw invalid("the header Sluice-Schema-Version is a version number such as 1");
  }
  return {
    dryRun: dryRun === "true",
    allResults: results === "all",
    schemaVersion: version === undefined ? null : Number(version),
  };
}

function invalid(detail: string): ProblemError {
  return new ProblemError("INVALID_PARAMETER", detail);
}

/** Reads the body; a document that cannot be read becomes one dead letter before it is refused. */
async function decode(
  format: BodyFormat,
  base: Omit<IngestRequest, "decoded">,
  options: Options,
  deps: GatewayDeps,
): Promise<DecodedBody> {
  const { eventsPerRequest } = deps.limits;
  try {
    return format === "json" ? decodeJson(base.body, eventsPerRequest) : decodeNdjson(base.body, eventsPerRequest);
  } catch (error) {
    if (error instanceof EmptyBody) throw new ProblemError("EMPTY_BODY", `${error.message}: send at least one`);
    if (error instanceof TooManyEvents) {
      throw new ProblemError(
        "TOO_MANY_EVENTS",
        `a request has at most ${eventsPerRequest} events, this one has ${error.events}: split it`,
        { max_events: eventsPerRequest },
      );
    }
    if (!(error instanceof MalformedBody)) throw error;
    if (!options.dryRun) await keepDocument(base, error.message, deps);
    throw new ProblemError("MALFORMED_PAYLOAD", error.message);
  }
}

async function keepDocument(base: Omit<IngestRequest, "decoded">, detail: string, deps: GatewayDeps): Promise<void> {
  const span = { start: 0, end: base.body.byteLength };
  const decoded: DecodedBody = {
    events: [undefined],
    malformed: new Map([[0, detail]]),
    suspectSurrogates: false,
    spanOf: () => span,
  };
  const request: IngestRequest = { ...base, decoded };
  const judged = judge(request);
  const { retry } = await store(judged, request, deps);
  if (retry.size > 0) {
    throw new ProblemError("QUEUE_UNAVAILABLE", `${detail}; and its dead letter could not be stored: send it again`);
  }
}
