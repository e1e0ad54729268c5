/**
 * Why a message is not stored. The two causes are different types, since they end differently: a system fault is retried, and
 * parked once no retry may help; a data fault is parked at once, for no retry would. Neither makes a dead letter of a good event.
 */

/** The bytes are wrong, whoever looks at them. */
export interface DataFault {
  readonly cause: "data";
  readonly reason: "not_a_message";
  /** For people; quotes nothing of the events. */
  readonly detail: string;
}

/** Our fault: the bytes are fine. */
export interface SystemFault {
  readonly cause: "system";
  /** `too_old`: older than the buffers' memory of message ids; `exhausted`: the queue gave up; `unavailable`: a part does not answer. */
  readonly reason: "too_old" | "exhausted" | "unavailable";
  readonly detail: string;
}

export type Fault = DataFault | SystemFault;

export function notAMessage(detail: string): DataFault {
  return { cause: "data", reason: "not_a_message", detail };
}

export function systemFault(reason: SystemFault["reason"], detail: string): SystemFault {
  return { cause: "system", reason, detail };
}
