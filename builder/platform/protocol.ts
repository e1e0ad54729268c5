/** What a builder refuses: an order of another protocol, or for another DuckDB. All else it needs is in the order. */
import * as z from "zod";
import { BUILDER_PROTOCOL } from "../../lakehouse/builds/native/wire.ts";

/** This program cannot do the platform's work; another version of it can. */
export class OtherVersionError extends Error {
  override readonly name = "OtherVersionError";
}

const order = z.object({ work: z.object({ protocol: z.unknown() }) });

/** Throws OtherVersionError for an answer whose order is of another protocol, before anything else of it is read. */
export function demandProtocol(answer: unknown): void {
  const { data } = order.safeParse(answer);
  if (data === undefined || data.work.protocol === BUILDER_PROTOCOL) return;
  throw new OtherVersionError(
    `The platform's orders are of protocol ${String(data.work.protocol)}, this builder's is ${BUILDER_PROTOCOL}. Start the builder of the platform's own version.`,
  );
}

/** Throws OtherVersionError for an order whose SQL was compiled with another DuckDB than this one: it could mean other rows. */
export function demandDuckDb(compiledWith: string, own: string): void {
  if (compiledWith === own) return;
  throw new OtherVersionError(
    `The platform's models were compiled with DuckDB ${compiledWith}, this builder has ${own}. Start the builder of the platform's own version (npm ci in its checkout).`,
  );
}
