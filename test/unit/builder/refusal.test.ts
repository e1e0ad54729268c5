import { expect, test } from "vitest";
import { errorOf } from "../../../builder/platform/refusal.ts";

test("a refusal is told as sentences: what is wrong, then what to do", () => {
  const refusal = { code: "FORBIDDEN", detail: 'the key needs the scope "*:build"', remedy: "Use another key." };
  expect(errorOf(403, JSON.stringify(refusal)).message).toBe(
    '403: the key needs the scope "*:build". Use another key.',
  );
  expect(errorOf(502, "<html>no gateway</html>").message).toBe("502: <html>no gateway</html>");
  expect(errorOf(500, "").message).toBe("500: no explanation");
});
