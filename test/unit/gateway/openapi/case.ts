/** A documented answer and how it is produced. */
import type { Harness } from "../harness.ts";

/** `METHOD path status [code]`, as `responseKeys` writes it. */
export type ResponseKey = string;

export type Case = (harness: Harness) => Promise<Response>;
