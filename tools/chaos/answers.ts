/** What an answer says: nothing that is refused may look like something else. */

export interface Answer {
  /** `<status> <problem code>`, as a report counts it. */
  readonly name: string;
  /** 503 with a problem that says what is not there: to be tried again. */
  readonly isRefusal: boolean;
  /** Its status and the beginning of its body, for an error. */
  readonly text: string;
}

export function answerOf(status: number, body: string): Answer {
  const code = status < 400 ? undefined : codeOf(body);
  return {
    name: code === undefined ? String(status) : `${status} ${code}`,
    isRefusal: status === 503 && code !== undefined,
    text: `${status}: ${body.slice(0, 500)}`,
  };
}

function codeOf(body: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem !== "object" || problem === null || !("code" in problem)) return undefined;
    return typeof problem.code === "string" ? problem.code : undefined;
  } catch {
    return undefined;
  }
}
