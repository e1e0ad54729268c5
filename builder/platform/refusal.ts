/** What the platform's answers mean for a builder: to try again, that the lease is lost, or a refusal that stays one. */
import * as z from "zod";
import { LeaseLostError } from "../stopped.ts";

/** Trying again would be answered alike: a key without the right, another protocol, an order of before. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The platform gave no usable answer, however often it was asked. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

const problem = z.object({ code: z.string().optional(), detail: z.string(), remedy: z.string().optional() });

/** Statuses by which a platform, or what stands before it, asks for patience. */
const AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

export function mayTryAgain(status: number): boolean {
  return AGAIN.has(status) || status >= 500;
}

/** The error that an answer is, which is not 2xx and is not tried again. */
export function errorOf(status: number, text: string): Error {
  const { code, detail, remedy } = problemOf(text) ?? {};
  if (status === 409 && code === "LEASE_LOST") return new LeaseLostError(detail ?? "the lease is lost");
  const said = [detail ?? text.slice(0, 300), remedy].filter((part) => part !== undefined && part !== "").join(". ");
  return new RefusedError(status, code, `${status}: ${said === "" ? "no explanation" : said}`);
}

function problemOf(text: string): z.infer<typeof problem> | undefined {
  try {
    return problem.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
