/** Security control octet (IEC 62056-5-3): bits 0-3 suite, 4 authentication, 5 encryption, 6 key set, 7 compression. */
export interface SecurityControl {
  readonly suite: number;
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  readonly broadcastKey: boolean;
  readonly compressed: boolean;
}

export const AUTHENTICATED = 0x10;
export const ENCRYPTED = 0x20;
export const BROADCAST_KEY = 0x40;
export const COMPRESSED = 0x80;
/** Suite 0, authenticated and encrypted under the unicast key. */
export const AUTHENTICATED_ENCRYPTED = AUTHENTICATED | ENCRYPTED;

export const securityControlOf = (octet: number): SecurityControl => ({
  suite: octet & 0x0f,
  authenticated: (octet & AUTHENTICATED) !== 0,
  encrypted: (octet & ENCRYPTED) !== 0,
  broadcastKey: (octet & BROADCAST_KEY) !== 0,
  compressed: (octet & COMPRESSED) !== 0,
});
