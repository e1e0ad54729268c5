/** The first key that an object of a JSON text has twice: parsers keep the last one and say nothing. */

/** `text` is valid JSON. */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    switch (token) {
      case "{":
        open.push(new Set());
        expectsKey = true;
        break;
      case "[":
        open.push(null);
        expectsKey = false;
        break;
      case "}":
      case "]":
        open.pop();
        expectsKey = false;
        break;
      case ",":
        expectsKey = open.at(-1) !== null;
        break;
      case ":":
        break;
      default: {
        const keys = open.at(-1);
        if (!expectsKey || keys === null || keys === undefined) break;
        const key: unknown = JSON.parse(token);
        if (typeof key !== "string") break;
        if (keys.has(key)) return key;
        keys.add(key);
        expectsKey = false;
      }
    }
  }
  return undefined;
}
