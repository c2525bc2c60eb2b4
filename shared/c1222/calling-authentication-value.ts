import { element, readElement } from "../wire/ber.ts";
import { type Codec, decode, encode } from "../wire/codec.ts";
import { unsigned8, unsigned32 } from "../wire/integers.ts";
import { WireError } from "../wire/wire-error.ts";

/** Which key, and the initialization vector: seconds since 1970, UTC. */
export interface CallingAuthenticationValue {
  readonly keyId: number;
  readonly iv: number;
}

const KEY_ID = 0x80;
const IV = 0x81;

const C1222Variant: Codec<CallingAuthenticationValue> = {
  read: (source) => {
    const { offset } = source;
    let keyId = 0;
    let iv: number | undefined;
    while (source.remaining > 0) {
      const found = readElement(source);
      if (found.tag === KEY_ID) keyId = unsigned8.read(found.content);
      else if (found.tag === IV) iv = unsigned32.read(found.content);
      else
        throw new WireError("wire.tag", "expected a key id (0x80) or an IV (0x81)", found.offset, { tag: found.tag });
      found.content.finish("key id or IV");
    }
    if (iv === undefined) throw new WireError("wire.truncated", "expected an initialization vector (0x81)", offset);
    return { keyId, iv };
  },
  write: (target, { keyId, iv }) => {
    element(KEY_ID, unsigned8).write(target, keyId);
    element(IV, unsigned32).write(target, iv);
  },
};

const Encoding: Codec<CallingAuthenticationValue> = {
  read: (source) => {
    if (source.peek() === 0x02) readElement(source); // an indirect reference may stand before the encoding
    return element(0xa0, element(0xa1, C1222Variant)).read(source);
  },
  write: (target, value) => element(0xa0, element(0xa1, C1222Variant)).write(target, value),
};

/** Content of the calling authentication value (AC) in its C12.22 variant. */
const CallingAuthenticationValueCodec = element(0xa2, Encoding);

/** The parts of the element's content. Throws `WireError`, for the C12.21 variant too. */
export const authenticationValueOf = (content: Uint8Array): CallingAuthenticationValue =>
  decode(CallingAuthenticationValueCodec, content);
export const authenticationValueContent = (value: CallingAuthenticationValue): Uint8Array =>
  encode(CallingAuthenticationValueCodec, value);
