/**
 * An independent reading of the contracts for the simulators' tests: the YAML and the Avro schema taken at their word, with
 * nothing of the gateway in it. It collects every error, so that a fault with a second one hidden behind it shows.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";

const property = z.object({
  name: z.string(),
  logicalType: z.string(),
  required: z.boolean().default(false),
  logicalTypeOptions: z
    .object({
      minimum: z.number(),
      maximum: z.number(),
      minLength: z.number(),
      maxLength: z.number(),
      minItems: z.number(),
      maxItems: z.number(),
      pattern: z.string(),
    })
    .partial()
    .default({}),
  // Checks without valid values (nulls, SQL) are of the tables, not of an event.
  quality: z
    .array(z.object({ arguments: z.object({ validValues: z.array(z.string()).optional() }).default({}) }))
    .default([]),
  get items() {
    return z.object({ properties: z.array(property) }).optional();
  },
});
type Property = z.infer<typeof property>;

const contract = z.object({
  schema: z.tuple([z.object({ properties: z.array(property) })]),
  customProperties: z.array(z.object({ property: z.string(), value: z.unknown() })),
});
const eventTimeWindow = z.object({ past: z.string(), future: z.string() });
const jsonObject = z.record(z.string(), z.unknown());

const MAX_EVENT_BYTES = 100 * 1024;
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?$/;

export interface ContractCheck {
  /** The distinct error types of the text, as an event received at `receivedMs`. None: it is valid. */
  errorTypes(line: string, receivedMs: number): string[];
}

/** The check of a topic's contract; made once per topic. Throws Error if there is no such contract. */
export function contractCheck(topic: string): ContractCheck {
  const made = checks.get(topic) ?? readContract(topic);
  checks.set(topic, made);
  return made;
}

const checks = new Map<string, ContractCheck>();

function readContract(topic: string): ContractCheck {
  const { schema, customProperties } = contract.parse(parse(readFileSync(`contracts/${topic}.yaml`, "utf8")));
  const files = readdirSync(`schemas/${topic}`).filter((name) => name.endsWith(".avsc"));
  const avro = readFileSync(`schemas/${topic}/v${files.length}.avsc`, "utf8");
  const versions = new Set<unknown>(files.map((name) => Number(name.slice(1, -".avsc".length))));
  const properties = schema[0].properties;
  const window = eventTimeWindow.parse(customProperties.find((one) => one.property === "eventTimeWindow")?.value);
  const decimals = avro.includes('"decimal"');

  function errorTypes(line: string, receivedMs: number): string[] {
    let event: Record<string, unknown>;
    try {
      event = jsonObject.parse(JSON.parse(line));
    } catch {
      return ["MALFORMED_PAYLOAD"];
    }
    const found = new Set<string>();
    if (Buffer.byteLength(line) > MAX_EVENT_BYTES) found.add("EVENT_TOO_LARGE");
    if (event["schema_version"] !== undefined && !versions.has(event["schema_version"])) found.add("UNKNOWN_SCHEMA");
    for (const field of properties) checkField(field, event[field.name], decimals, found);
    const time = event["event_timestamp"];
    if (typeof time === "string" && !Number.isNaN(Date.parse(time))) {
      const behind = receivedMs - Date.parse(time);
      if (behind > millis(window.past) || -behind > millis(window.future)) found.add("TIMESTAMP_OUT_OF_RANGE");
    }
    if (!holds(topic, event)) found.add("RULE_VIOLATION");
    return [...found];
  }
  return { errorTypes };
}

function checkField(field: Property, value: unknown, decimals: boolean, found: Set<string>): void {
  if (value === undefined || (value === null && !field.required)) {
    if (field.required) found.add("MISSING_FIELD");
    return;
  }
  const options = field.logicalTypeOptions;
  if (field.logicalType === "array") {
    if (!Array.isArray(value)) return void found.add("TYPE_MISMATCH");
    if (value.length < (options.minItems ?? 0) || value.length > (options.maxItems ?? Number.POSITIVE_INFINITY)) {
      found.add("VALUE_OUT_OF_RANGE");
    }
    for (const item of value) {
      const fields = jsonObject.safeParse(item);
      if (!fields.success) found.add("TYPE_MISMATCH");
      else
        for (const inner of field.items?.properties ?? []) checkField(inner, fields.data[inner.name], decimals, found);
    }
  } else if (field.logicalType === "boolean") {
    if (typeof value !== "boolean") found.add("TYPE_MISMATCH");
  } else if (field.logicalType === "integer" || field.logicalType === "number") {
    if (typeof value !== "number") return void found.add("TYPE_MISMATCH");
    const scaled = field.logicalType === "number" && decimals;
    if (field.logicalType === "integer" ? !Number.isInteger(value) : scaled && Number(value.toFixed(2)) !== value) {
      found.add("TYPE_MISMATCH");
    } else if (!(value >= (options.minimum ?? -Infinity) && value <= (options.maximum ?? Infinity))) {
      found.add("VALUE_OUT_OF_RANGE");
    }
  } else {
    if (typeof value !== "string") return void found.add("TYPE_MISMATCH");
    const accepted = field.quality.flatMap((rule) => rule.arguments.validValues ?? []);
    if (accepted.length > 0 && !accepted.includes(value)) found.add("INVALID_ENUM");
    const length = [...value].length;
    if (!value.isWellFormed()) found.add("INVALID_FORMAT");
    if (options.pattern !== undefined && !new RegExp(options.pattern).test(value)) found.add("INVALID_FORMAT");
    if (length < (options.minLength ?? 0) || length > (options.maxLength ?? Infinity)) found.add("VALUE_OUT_OF_RANGE");
    if (field.logicalType === "timestamp" && !(value.endsWith("Z") && !Number.isNaN(Date.parse(value)))) {
      found.add("INVALID_FORMAT");
    }
  }
}

const order = z.object({
  amount: z.number(),
  items: z.array(z.object({ quantity: z.number(), unit_price: z.number() })),
});
const payment = z.object({ status: z.string(), refund_reason: z.string().nullish() });

/** Whether the topic's record rule holds, or cannot be asked because what it reads is not there. */
function holds(topic: string, event: Record<string, unknown>): boolean {
  if (topic === "orders") {
    const { data } = order.safeParse(event);
    if (data === undefined) return true;
    return Math.abs(data.amount - data.items.reduce((sum, item) => sum + item.quantity * item.unit_price, 0)) <= 0.0101;
  }
  if (topic === "payments") {
    const { data } = payment.safeParse(event);
    return data?.status !== "refunded" || (data.refund_reason ?? "") !== "";
  }
  return true;
}

function millis(duration: string): number {
  const match = DURATION.exec(duration);
  if (match === null) throw new Error(`not a duration: ${duration}`);
  const [days, hours, minutes] = [match[1], match[2], match[3]].map((digits) => Number(digits ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000;
}
