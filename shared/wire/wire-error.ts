import { HeadraceError } from "../ports/errors.ts";

/**
 * `wire.truncated` octets end too early · `wire.left-over` octets follow a complete value · `wire.limit` a length or
 * count above its named limit · `wire.value` a value outside its range · `wire.tag` an unknown tag or choice ·
 * `wire.check` a check sequence that does not match.
 */
export type WireCode = "wire.truncated" | "wire.left-over" | "wire.limit" | "wire.value" | "wire.tag" | "wire.check";

/** Octets that are not what they should be. `offset` counts from the first octet given to the decoder. */
export class WireError extends HeadraceError {
  declare readonly code: WireCode;
  readonly offset: number;

  constructor(code: WireCode, message: string, offset: number, detail: object = {}) {
    super(code, `${message} at octet ${offset}`, { retry: "later", detail: { offset, ...detail } });
    this.offset = offset;
  }
}
