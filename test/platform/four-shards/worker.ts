/** The real Worker with a contract of `orders` that has four shards: `contract.ts` stands first, so that it changes before the Worker reads it. */
import "./contract.ts";
import worker from "../../../worker.ts";

export * from "../../../worker.ts";

export default worker;
