import { AUTHENTICATED, ENCRYPTED, securityControlOf } from "./security-control.ts";
import type { SecuritySuite } from "./security-suite.ts";

/** What every message of one direction must be. */
export interface MessageProtection {
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  /** Carried by General-Signing. */
  readonly signed: boolean;
}
export interface SecurityPolicy {
  readonly request: MessageProtection;
  readonly response: MessageProtection;
}

const BOTH: MessageProtection = { authenticated: true, encrypted: true, signed: false };
export const AUTHENTICATED_AND_ENCRYPTED: SecurityPolicy = { request: BOTH, response: BOTH };

/** Security control octet of messages under a policy, by the unicast key. */
export const controlOf = (suite: SecuritySuite, { authenticated, encrypted }: MessageProtection): number =>
  suite | (authenticated ? AUTHENTICATED : 0) | (encrypted ? ENCRYPTED : 0);

/** Whether a message in this protection is of this suite, under the unicast key, and no weaker than demanded. */
export function satisfies(control: number, suite: SecuritySuite, demanded: MessageProtection): boolean {
  const found = securityControlOf(control);
  return (
    found.suite === suite &&
    !found.broadcastKey &&
    !found.compressed &&
    (found.authenticated || !demanded.authenticated) &&
    (found.encrypted || !demanded.encrypted)
  );
}

/** Attribute security_policy of the Security setup, class 64, version 1: a bit for each demand. */
const BITS = {
  request: { authenticated: 0x04, encrypted: 0x08, signed: 0x10 },
  response: { authenticated: 0x20, encrypted: 0x40, signed: 0x80 },
} as const;

export function policyOfBits(bits: number): SecurityPolicy {
  const direction = (of: (typeof BITS)[keyof typeof BITS]): MessageProtection => ({
    authenticated: (bits & of.authenticated) !== 0,
    encrypted: (bits & of.encrypted) !== 0,
    signed: (bits & of.signed) !== 0,
  });
  return { request: direction(BITS.request), response: direction(BITS.response) };
}
export function bitsOfPolicy(policy: SecurityPolicy): number {
  const direction = (found: MessageProtection, of: (typeof BITS)[keyof typeof BITS]): number =>
    (found.authenticated ? of.authenticated : 0) |
    (found.encrypted ? of.encrypted : 0) |
    (found.signed ? of.signed : 0);
  return direction(policy.request, BITS.request) | direction(policy.response, BITS.response);
}

/** The same attribute in version 0: 0 nothing, 1 authenticated, 2 encrypted, 3 both, for both directions. */
export function policyOfEnum(value: number): SecurityPolicy {
  const each = { authenticated: (value & 1) !== 0, encrypted: (value & 2) !== 0, signed: false };
  return { request: each, response: each };
}
