/** The permit for Parquet that tests use: their process does one thing. */
import { permitOfProcess } from "../../lakehouse/engine/parquet/wasm.ts";

export const permit = permitOfProcess();
