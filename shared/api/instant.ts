import { z } from "zod";

/** An instant: ISO 8601 with `Z` or an offset outside, clock milliseconds inside. Out it goes in UTC, `Z`. */
export const Instant = z.codec(z.iso.datetime({ offset: true }), z.int(), {
  decode: (text) => Date.parse(text),
  encode: (ms) => new Date(ms).toISOString(),
});

/** As `Instant`, cut to the whole second that meters know. */
export const WholeSecond = z.codec(z.iso.datetime({ offset: true }), z.int(), {
  decode: (text) => Math.floor(Date.parse(text) / 1000) * 1000,
  encode: (ms) => new Date(ms).toISOString(),
});
