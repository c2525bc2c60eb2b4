import { z } from "zod";

/** Where a list goes on: opaque, from the page before. */
export const Cursor = z.string().min(1).max(1024);

/** A page of at most `most`; a number as the query string has it. */
export const limitUpTo = (most: number, usual: number) =>
  z
    .codec(z.string().regex(/^\d{1,5}$/, `expected a number from 1 to ${most}`), z.int().min(1).max(most), {
      decode: Number,
      encode: String,
    })
    .default(usual);

/** The utility's names for groups, feeders, transformers, collectors, keys. */
export const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");
