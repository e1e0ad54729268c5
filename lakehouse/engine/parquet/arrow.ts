/**
 * The boundary to Arrow: `Batch` to Arrow IPC stream bytes and back, which is the form in which parquet-wasm takes and gives rows.
 * Vectors are made from typed arrays (`makeData`): Arrow's builders generate code, which a Worker refuses after startup.
 */
export { batchOfArrow, decodeArrowSchema, decodeArrowStream } from "./arrow-read.ts";
export { UnsupportedArrowTypeError } from "./arrow-types.ts";
export { encodeArrowStream } from "./arrow-write.ts";
