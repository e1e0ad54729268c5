/** `POST /v1/topics/{topic}/events`: parse, call, answer. */

import type { PreparedRequest } from "../../durable-objects/stubs.ts";
import { admitterOf, type TopicAdmitter } from "../admit/topics.ts";
import { answerOf, type IngestAnswer, responseOf } from "../answer.ts";
import { attributesOfHeaders, NO_ATTRIBUTES } from "../bodies/cloudevent-headers.ts";
import { bodyBatches } from "../bodies/decode.ts";
import { documentBatch, EmptyBody, InflatedTooLarge, MalformedBody, TooManyEvents } from "../bodies/event-batch.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { fingerprinted } from "../idempotency/fingerprint.ts";
import { answerOnce, type OnceAnswer } from "../idempotency/once.ts";
import { receiptName } from "../idempotency/receipt-name.ts";
import { receiptNaming } from "../idempotency/receipt-naming.ts";
import { type IngestRequest, type Judged, judge, type MessageNaming, prepareMessages, store } from "../ingest.ts";
import { knownTopic } from "../known-topic.ts";
import { concealedDetail } from "../masking/detail.ts";
import { maskerOf } from "../masking/masker-of.ts";
import type { WideEvent } from "../middleware/wide-event/event.ts";
import { headersReader, queryReader } from "../openapi/parameters.ts";
import { ProblemError, problemResponse } from "../problem.ts";
import { eventsHeaders, eventsQuery } from "./events.api.ts";
import { formOfRequest } from "./events-form.ts";
import { answerBytes, largestBody, RECEIPT_COPIES, reservedBytes } from "./events-memory.ts";

interface Options {
  readonly dryRun: boolean;
  readonly allResults: boolean;
  readonly schemaVersion: number | null;
  /** null also in a dry run, which leaves nothing that could be repeated. */
  readonly idempotencyKey: string | null;
}

export function postEvents(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postEvents(c) {
    const received = deps.clock.now() * 1_000;
    const admitter = writableTopic(c);
    const { format, encoding } = formOfRequest(c);
    const options = optionsOf(c);
    const { idempotencyKey } = options;
    const maxBytes = largestBody(format, idempotencyKey !== null, deps.limits);
    const incoming = c.get("bodyChunks")(maxBytes);
    const spending = c.get("spending");
    spending.begin(Math.min(incoming.declared ?? 0, maxBytes));
    const claimMemory = c.get("claimMemory");
    claimMemory("reserved", reservedBytes({ format, encoding }, incoming.declared, maxBytes));
    const attributes = format === "cloudevent-data" ? attributesOfHeaders(c.req.raw.headers) : NO_ATTRIBUTES;
    const meaning = [format, encoding, String(options.schemaVersion), JSON.stringify(attributes)];
    const masker = maskerOf(admitter, deps);
    const body = idempotencyKey === null ? null : fingerprinted(incoming.chunks, meaning, masker);
    const request: IngestRequest = {
      admitter,
      requestId: c.get("requestId"),
      producer: c.get("grant").producer,
      received,
      schemaVersion: options.schemaVersion,
      masker,
      batches: bodyBatches({
        format,
        encoding,
        chunks: body?.chunks ?? incoming.chunks,
        attributes,
        contract: admitter.contract,
        maxBytes,
        hold: (bytes) => claimMemory("body", bytes),
        onInflated: (bytes) => {
          inflatedBytes = bytes;
        },
      }),
      maxEvents: deps.limits.eventsPerRequest,
      sizeHint: incoming.declared ?? 0,
      hold: (bytes) => claimMemory("events", bytes),
    };
    const wide = c.get("wideEvent");
    Object.assign(wide, { topic: admitter.contract.topic, dry_run: options.dryRun });
    let judgedEvents = 0;
    let inflatedBytes = 0;
    // Whatever becomes of the request: what was read and judged has cost as much.
    const settle = () => {
      wide.bytes = incoming.bytesRead();
      spending.settle({ events: judgedEvents, bytes: Math.max(wide.bytes, inflatedBytes) });
    };
    const judgeOnTheWay = async (request: IngestRequest): Promise<Judgement> => {
      try {
        const judgement = await judgeBody(request);
        judgedEvents = judgement.judged.events;
        claimMemory("body", 0);
        claimMemory("answer", answerBytes(judgement.judged, options.allResults));
        return judgement;
      } finally {
        settle();
      }
    };
    if (body !== null && idempotencyKey !== null) {
      const { topic } = admitter.contract;
      const name = receiptName(topic, c.get("grant").keyId, idempotencyKey);
      const answered = answerOnce({
        receipt: deps.receipt(name),
        proposal: { requestId: request.requestId, received },
        judge: async (stamp) =>
          submission(await judgeOnTheWay({ ...request, ...stamp }), receiptNaming(name, stamp), options, deps, c),
        drain: () => body.drain(),
        fingerprints: () => body.fingerprints(),
      });
      const answer = await answered.finally(settle);
      wide.repeated = answer.repeated;
      return onceResponse(answer);
    }
    const judgement = await judgeOnTheWay(request);
    const { judged, problem } = judgement;
    const stored = options.dryRun ? NOTHING_STORED : await store(judged, judgement.request, deps);
    if (problem !== null) {
      if (stored.retry.size === 0) throw problem;
      const detail = `${problem.message}; and its dead letter could not be stored: send it again`;
      throw new ProblemError("QUEUE_UNAVAILABLE", detail);
    }
    const answer = answerOf(judged, stored.retry, request, options);
    describe(wide, answer, judged, stored.messages);
    return responseOf(answer);
  };
}

/** What is stored of a request with an Idempotency-Key before anything of it is sent. Throws QUEUE_UNAVAILABLE. */
async function submission(
  { request, judged, problem }: Judgement,
  naming: MessageNaming,
  options: Options,
  deps: GatewayDeps,
  c: GatewayContext,
): Promise<Omit<PreparedRequest, "requestId">> {
  const { messages, unstored } = await prepareMessages(judged, request, deps.lake, naming);
  if (unstored.length > 0) {
    throw new ProblemError("QUEUE_UNAVAILABLE", "a dead letter's payload could not be stored: send the request again");
  }
  const answer = answerOf(judged, new Map(), request, options);
  describe(c.get("wideEvent"), answer, judged, messages.length);
  // The call to the receipt copies the messages, and the receipt may live in this isolate.
  const messageBytes = messages.reduce((sum, { body }) => sum + body.byteLength, 0);
  c.get("claimMemory")("answer", messageBytes * RECEIPT_COPIES + answerBytes(judged, options.allResults));
  const response = problem === null ? responseOf(answer) : problemResponse(problem, request.requestId);
  const contentType = response.headers.get("content-type") ?? "application/json";
  return {
    answer: { status: response.status, contentType, body: await response.text() },
    messages: messages.map(({ topic, body }) => ({ topic, body })),
  };
}

function onceResponse({ status, contentType, body, repeated }: OnceAnswer): Response {
  const headers = { "Content-Type": contentType, ...(repeated ? { "Idempotent-Replayed": "true" } : {}) };
  return new Response(body, { status, headers });
}

function describe(wide: WideEvent, answer: IngestAnswer, { events }: Judged, messages: number): void {
  const { accepted, rejected, retry } = answer;
  Object.assign(wide, { events, accepted, rejected, retry, messages });
}

const NOTHING_STORED = { retry: new Map(), messages: 0 } as const;

/** The topic's admitter, unless only the platform writes to it. */
function writableTopic(c: GatewayContext): TopicAdmitter {
  const { topic, platformOnly } = knownTopic(c.req.param("topic"));
  if (platformOnly) {
    throw new ProblemError("PLATFORM_TOPIC", `${topic} is written by the platform itself; producers cannot post to it`);
  }
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`topic ${topic} has a contract but no admitter`);
  return admitter;
}

const readQuery = queryReader(eventsQuery);
const readHeaders = headersReader(eventsHeaders);

function optionsOf(c: GatewayContext): Options {
  const { dry_run, results } = readQuery(c);
  const { "Sluice-Schema-Version": version, "Idempotency-Key": idempotencyKey } = readHeaders(c);
  return {
    dryRun: dry_run === "true",
    allResults: results === "all",
    schemaVersion: version === undefined ? null : Number(version),
    idempotencyKey: dry_run === "true" ? null : (idempotencyKey ?? null),
  };
}

/** A request's verdicts. */
interface Judgement {
  /** What was judged: the request, or the one document in its place that cannot be read. */
  readonly request: IngestRequest;
  readonly judged: Judged;
  /** Not null if the body is no document of its format: the answer, once the document stands in the dead letters. */
  readonly problem: ProblemError | null;
}

/** Throws the problem of a body that leaves nothing to judge. */
async function judgeBody(request: IngestRequest): Promise<Judgement> {
  try {
    return { request, judged: await judge(request), problem: null };
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw problemOf(error);
    const detail = request.admitter.pii ? concealedDetail(error.message) : error.message;
    const document = { ...request, batches: [documentBatch(error)] };
    const problem = new ProblemError("MALFORMED_PAYLOAD", detail);
    return { request: document, judged: await judge(document), problem };
  }
}

function problemOf(error: unknown): unknown {
  if (error instanceof EmptyBody) return new ProblemError("EMPTY_BODY", `${error.message}: send at least one`);
  if (error instanceof TooManyEvents) {
    const { maxEvents } = error;
    const detail = `a request has at most ${maxEvents} events, this one has more: split it`;
    return new ProblemError("TOO_MANY_EVENTS", detail, { max_events: maxEvents });
  }
  if (error instanceof InflatedTooLarge) {
    const { maxBytes } = error;
    return new ProblemError("BODY_TOO_LARGE", `${error.message}: split the events over several requests`, {
      max_bytes: maxBytes,
    });
  }
  return error;
}
