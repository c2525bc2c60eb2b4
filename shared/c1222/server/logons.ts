import { responseCode } from "../response-code.ts";
import type { Request } from "../services/request.ts";
import { okResponse, type Response, refusal } from "../services/response.ts";
import type { MessageFacts, ServerUser } from "./service-desk.ts";

/** Longest idle time that a node grants, seconds. */
export const IDLE_MAX_S = 600;

/** What a node knows of one caller's session; it outlives the connection. */
export interface LogonSession {
  readonly userId: number;
  /** A password has proved the user. */
  secured: boolean;
  readonly idleMs: number;
  endsAt: number;
}

type Who = Pick<MessageFacts, "callingTitle" | "now">;

/** Sessions by the titles of their callers, `most` at once. */
export interface Logons {
  /** The caller's session, which lives on from now. */
  of(who: Who): LogonSession | undefined;
  logon(
    request: Extract<Request, { readonly service: "logon" }>,
    who: Who,
    users: ReadonlyMap<number, ServerUser> | undefined,
  ): Response;
  end(who: Who): Response;
  /** Lengthens the caller's idle time once. */
  wait(seconds: number, who: Who): Response;
}

export function logons(most: number): Logons {
  const sessions = new Map<string, LogonSession>();
  const forget = (now: number): void => {
    for (const [title, { endsAt }] of sessions) if (endsAt <= now) sessions.delete(title);
  };
  return {
    of({ callingTitle, now }) {
      forget(now);
      const session = sessions.get(callingTitle);
      if (session !== undefined) session.endsAt = Math.max(session.endsAt, now + session.idleMs);
      return session;
    },
    logon({ userId, user, idleTimeout }, { callingTitle, now }, users) {
      if (most === 0 || sessions.has(callingTitle)) return refusal(responseCode("isss"));
      const name = String.fromCharCode(...user).trimEnd();
      if (users !== undefined && users.get(userId)?.name !== name) return refusal(responseCode("isc"));
      if (sessions.size >= most) return refusal(responseCode("bsy"));
      const granted = idleTimeout === 0 ? IDLE_MAX_S : Math.min(idleTimeout, IDLE_MAX_S);
      const idleMs = granted * 1000;
      sessions.set(callingTitle, { userId, secured: false, idleMs, endsAt: now + idleMs });
      return okResponse({ kind: "logon", idleTimeout: granted });
    },
    end({ callingTitle }) {
      sessions.delete(callingTitle);
      return okResponse();
    },
    wait(seconds, { callingTitle, now }) {
      const session = sessions.get(callingTitle);
      if (session === undefined) return refusal(responseCode("isss"));
      session.endsAt = now + seconds * 1000;
      return okResponse();
    },
  };
}
