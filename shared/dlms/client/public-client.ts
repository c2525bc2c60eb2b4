import type { SessionContext } from "../../metering/driver.ts";
import { type FailureReason, SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { integerIn } from "./integer-value.ts";
import { openSession } from "./open-session.ts";
import type { DlmsSession } from "./session.ts";

type Access = DlmsProfile["dlms"]["access"];

/** The public client's association (SAP 16 to the management logical device), which every meter offers. */
const PUBLIC: Access = {
  clientSap: 16,
  serverSap: 1,
  authentication: "none",
  ciphering: "none",
  securitySuite: 0,
  maxPduSize: 1024,
  deviationSign: "utc",
};

/**
 * Does something as the public client and releases. What is unproved here stays a hint, so no key and no counter is used.
 * `access`: framing, server and referencing, where the meter's are known. Throws `SessionError` or `LinkError`.
 */
export async function asPublicClient<T>(
  context: Omit<SessionContext, "profile" | "systemTitle" | "keys" | "counters">,
  work: (session: DlmsSession) => Promise<T>,
  access: Partial<Pick<Access, "serverSap" | "framing" | "hdlc" | "referencing">> = {},
): Promise<T> {
  const session = await openSession({
    ...context,
    profile: {
      name: "public",
      version: 1,
      commodity: "electric",
      protocol: "dlms",
      dlms: { access: { ...PUBLIC, ...access }, clock: "0.0.1.0.0.255", registers: [], loadProfiles: [] },
    },
    systemTitle: undefined,
    keys: undefined,
    counters: {
      next() {
        throw new SessionError("internal", "dlms.counter-in-public", "the public client has no counter");
      },
    },
  });
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}

/** What a meter or its network card says when it does not want the public client. */
const ANSWERS: ReadonlySet<string> = new Set<FailureReason>(["auth", "refused", "unsupported", "busy"]);

/** The public client's association, opened and released: it may be refused, as long as somebody says so. */
export async function identifyModule(context: SessionContext): Promise<void> {
  try {
    await asPublicClient(context, async () => undefined, framedAs(context));
  } catch (error) {
    if (!(error instanceof SessionError) || !ANSWERS.has(error.reason)) throw error;
  }
}

/** Framing, server and referencing of the meter. */
function framedAs({
  profile,
}: SessionContext): Partial<Pick<Access, "serverSap" | "framing" | "hdlc" | "referencing">> {
  const { serverSap, framing, hdlc, referencing } = profile.dlms.access;
  return {
    serverSap,
    ...(framing && { framing }),
    ...(hdlc && { hdlc }),
    ...(referencing && { referencing }),
  };
}

/** Refusals of a secured association that a counter may be behind: few meters say so. */
const MAYBE_COUNTER: ReadonlySet<string> = new Set([
  "dlms.counter-refused",
  "dlms.deciphering-refused",
  "dlms.association-rejected",
]);

/**
 * The error of a secured association that was refused, better understood where the meter shows its invocation counter to
 * the public client: if that is not below ours, `dlms.counter-refused` with the counter that it expects. An unproved hint:
 * whoever raises a counter by it does so within limits. `last`: our last counter.
 */
export async function withCounter(context: SessionContext, last: number | undefined, error: unknown): Promise<unknown> {
  const { invocationCounter } = context.profile.dlms.access;
  if (invocationCounter === undefined || last === undefined) return error;
  if (!(error instanceof SessionError) || !MAYBE_COUNTER.has(error.code)) return error;
  if (error.detail.expectedCounter !== undefined) return error;
  try {
    const value = attributeOf(DataObject, DataObject.attributes.value, invocationCounter);
    const answer = await asPublicClient(context, (session) => session.read(value), framedAs(context));
    const accepted = answer.kind === "value" ? integerIn(answer.value)?.value : undefined;
    if (accepted === undefined || accepted < BigInt(last) || accepted >= 0xffff_ffffn) return error;
    return new SessionError("auth", "dlms.counter-refused", "the meter has accepted higher counters than ours", {
      retry: "later",
      cause: error,
      detail: { expectedCounter: Number(accepted) + 1 },
    });
  } catch {
    return error; // the meter does not talk with the public client: what it said first is all there is
  }
}
