/** The style of the pages for people, and the policy that allows it and nothing else. */
import { createHash } from "node:crypto";
import { raw } from "hono/html";

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
pre { background: #f2f2f0; padding: 0.75rem; overflow-x: auto; font-size: 0.85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.2rem 0.75rem 0.2rem 0; border-bottom: 1px solid #8884; }
code { font-size: 0.9em; }
h3 { margin-bottom: 0; }
@media (prefers-color-scheme: dark) { body { background: #16181a; color: #e4e4e0; } pre { background: #24272a; } a { color: #8ab4f8; } }
`;

/** For the head of a page. */
export const styleElement = raw(`<style>${STYLE}</style>`);

const hash = createHash("sha256").update(STYLE).digest("base64");

/**
 * Content Security Policy (level 3) of every answer: pages have this one style, known by its hash, and no script, frame, form
 * or anything from elsewhere; nobody may show them in a frame.
 */
export const CONTENT_SECURITY_POLICY = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
