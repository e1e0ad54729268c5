/** Web origins (RFC 6454, 6.2) as browsers and the web views of apps send them in `Origin`: scheme, host, port if it is not the scheme's own. */

const MAX_LENGTH = 300;
/** `capacitor://localhost`, `ionic://localhost`, `chrome-extension://<id>`: schemes that URL knows nothing of. */
const APP_ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[1-9]\d{0,4})?$/;
/** Pages of these have no origin of their own, or none that is sent. */
const NO_APP_SCHEMES: ReadonlySet<string> = new Set([
  ...["http", "https", "ws", "wss", "ftp", "file", "data", "blob", "about", "javascript", "null"],
]);

/** Whether a text is one origin, in the form in which it is sent. */
export function isOrigin(text: string): boolean {
  return originFault(text) === undefined;
}

/** Why a text is no origin that a key can be bound to, and what to write instead; undefined if it is one. */
export function originFault(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `an origin has at most ${MAX_LENGTH} characters`;
  if (text.includes("*")) {
    return "wildcards are not supported: name each origin, such as https://shop.example and https://www.shop.example";
  }
  if (text === "null") return "null stands for every page without an origin, so a key cannot be bound to it";
  const scheme = APP_ORIGIN.exec(text)?.[1];
  if (scheme !== undefined && !NO_APP_SCHEMES.has(scheme)) return undefined;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return "expected an origin such as https://shop.example or capacitor://localhost";
  }
  if (url.origin === text) return undefined;
  return `expected an origin without a path, as browsers send it: ${url.origin.slice(0, MAX_LENGTH)}`;
}
