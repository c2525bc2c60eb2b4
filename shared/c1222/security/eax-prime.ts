import type { BlockCipher, CbcMac, Crypto, SecretKey } from "../../ports/crypto.ts";
import { HeadraceError } from "../../ports/errors.ts";
import { concat, equalOctets } from "../../ports/octets.ts";

const BLOCK = 16;
export const MAC_OCTETS = 4;

/** A key made ready for EAX' (Moise, Beroset, Phinney, Burns: EAX' Cipher Mode, 2011). AES-128. */
export interface EaxPrimeKey {
  readonly encipher: BlockCipher;
  readonly cbcMac: CbcMac;
  readonly d: Uint8Array;
  readonly q: Uint8Array;
}

/** Doubling in GF(2^128), octet 0 being the least significant one: EAX and CMAC have it the other way round. */
function doubled(block: Uint8Array): Uint8Array {
  const result = new Uint8Array(BLOCK);
  let carry = 0;
  for (let index = 0; index < BLOCK; index++) {
    const octet = block[index]!;
    result[index] = (octet << 1) | carry;
    carry = octet >> 7;
  }
  if (carry === 1) result[0]! ^= 0x87;
  return result;
}

export function eaxPrimeKey(crypto: Crypto, key: SecretKey): EaxPrimeKey {
  const encipher = crypto.blockCipher(key);
  const d = doubled(encipher(new Uint8Array(BLOCK)));
  return { encipher, cbcMac: crypto.cbcMac(key), d, q: doubled(d) };
}

/** CBC-MAC that begins with `start`; a full last block is mixed with D, a padded one with Q. `parts`: one message. */
function mac({ cbcMac, d, q }: EaxPrimeKey, start: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = new Uint8Array(Math.max(1, Math.ceil(length / BLOCK)) * BLOCK);
  let at = 0;
  for (const part of parts) {
    blocks.set(part, at);
    at += part.length;
  }
  const last = blocks.length - BLOCK;
  if (length < blocks.length) blocks[length]! ^= 0x80;
  const mask = length < blocks.length ? q : d;
  for (let index = 0; index < BLOCK; index++) blocks[last + index]! ^= mask[index]!;
  return cbcMac(start, blocks);
}

/** AES-CTR over a counter block in which two bits are cleared, as EAX' has it. */
function counterMode({ encipher }: EaxPrimeKey, nonce: Uint8Array, octets: Uint8Array): Uint8Array {
  const counter = nonce.slice();
  counter[12]! &= 0x7f;
  counter[14]! &= 0x7f;
  const blocks = Math.ceil(octets.length / BLOCK);
  const stream = new Uint8Array(blocks * BLOCK);
  for (let block = 0; block < blocks; block++) {
    stream.set(counter, block * BLOCK);
    for (let index = BLOCK - 1; index >= 0; index--) {
      counter[index] = (counter[index]! + 1) & 0xff;
      if (counter[index] !== 0) break;
    }
  }
  const pad = blocks === 0 ? stream : encipher(stream);
  const result = octets.slice();
  for (let index = 0; index < result.length; index++) result[index]! ^= pad[index]!;
  return result;
}

/**
 * EAX' is secure only for a cleartext N of more than one block: below that, anybody makes messages that every key
 * accepts (Minematsu, Lucks, Morita, Iwata, IACR ePrint 2012/018). There is no way round this check.
 */
function checkCleartext(cleartext: Uint8Array): void {
  if (cleartext.length <= BLOCK)
    throw new HeadraceError(
      "c1222.short-cleartext",
      `expected a cleartext N of more than ${BLOCK} octets, got ${cleartext.length}`,
      { retry: "never" },
    );
}

function tagOf(key: EaxPrimeKey, nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const tag = nonce.slice(BLOCK - MAC_OCTETS);
  if (ciphertext.length === 0) return tag;
  const other = mac(key, key.q, ciphertext).subarray(BLOCK - MAC_OCTETS);
  for (let index = 0; index < MAC_OCTETS; index++) tag[index]! ^= other[index]!;
  return tag;
}

/** Enciphers and authenticates: ciphertext || 4 octets of MAC. A pair of key and N is never used twice. */
export function sealEaxPrime(key: EaxPrimeKey, cleartext: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkCleartext(cleartext);
  const nonce = mac(key, key.d, cleartext);
  const ciphertext = counterMode(key, nonce, plaintext);
  return concat(ciphertext, tagOf(key, nonce, ciphertext));
}

/** Opens ciphertext || MAC; undefined when the MAC does not verify. */
export function openEaxPrime(key: EaxPrimeKey, cleartext: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  checkCleartext(cleartext);
  if (sealed.length < MAC_OCTETS) return undefined;
  const split = sealed.length - MAC_OCTETS;
  const nonce = mac(key, key.d, cleartext);
  const ciphertext = sealed.subarray(0, split);
  if (!equalOctets(tagOf(key, nonce, ciphertext), sealed.subarray(split))) return undefined;
  return counterMode(key, nonce, ciphertext);
}

/** The MAC alone, 4 octets: the payload is part of the cleartext. `header`: N without the payload. */
export function macEaxPrime(key: EaxPrimeKey, header: Uint8Array, payload: Uint8Array): Uint8Array {
  checkCleartext(header);
  return mac(key, key.d, header, payload).slice(BLOCK - MAC_OCTETS);
}
