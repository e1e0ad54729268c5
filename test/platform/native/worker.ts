/** The real Worker with a model for the native builder: `models.ts` stands first, so that it changes before the Worker reads it. */
import "./models.ts";
import worker from "../../../worker.ts";

export { NativeBuilder, Receipts, TopicBuffer } from "../../../worker.ts";

export default worker;
