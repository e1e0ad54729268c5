/** In browsers: what is not sent yet when a page goes away is handed to the browser, which sends it after the page's end. */
import type { Client } from "./api.ts";

/** The parts of a browser's `window` that are used. */
export interface Page {
  addEventListener(type: "pagehide", listener: () => void): void;
  removeEventListener(type: "pagehide", listener: () => void): void;
  readonly navigator: { sendBeacon(url: string, body: Blob): boolean };
}

/**
 * From now on, whenever `page` (a browser's `window`) is hidden for good, its unsent events go out by `Client.beacon`: some
 * 60 KB, which is what browsers take, without verdicts. The client's key has to be a publishable one. Returns what undoes it.
 */
export function flushOnPageHide<Events extends object>(client: Client<Events>, page: Page): () => void {
  const flush = () => client.beacon((url, body) => page.navigator.sendBeacon(url, body));
  page.addEventListener("pagehide", flush);
  return () => page.removeEventListener("pagehide", flush);
}
