import { z } from "zod";
import { Instant } from "./instant.ts";
import { Name } from "./page.ts";

export const ImportId = z.string().regex(/^[0-9a-z]{26}$/, "expected an import id of 26 letters and digits");
export const ImportPath = z.strictObject({ importId: ImportId });

export const ImportCreated = z.strictObject({
  importId: z.string(),
  /** Where to send the CSV: one PUT, within the hour. */
  upload: z.strictObject({ url: z.string(), method: z.literal("PUT"), expires: Instant }),
});

export const RowError = z.strictObject({
  /** As in the file: the header is row 1. */
  row: z.int(),
  column: z.string(),
  expected: z.string(),
  /** Never of a key column. */
  received: z.string().optional(),
});

export const ImportInApi = z.strictObject({
  importId: z.string(),
  state: z.enum(["created", "running", "done", "failed"]),
  createdAt: Instant,
  /** Rows dealt with so far, without the header. */
  rows: z.int(),
  enrolled: z.int(),
  unchanged: z.int(),
  rejected: z.int(),
  /** The first 1,000; all are in the report. */
  errors: z.array(RowError),
  /** Why the import as a whole failed. */
  failure: z.string().optional(),
  /** The whole report as CSV; a link of an hour. */
  reportUrl: z.string().optional(),
});

export const TransportKeyPath = z.strictObject({ keyId: Name });
/** PUT /transport-keys/{keyId}: the AES key under which an import's key columns are wrapped (RFC 3394). */
export const TransportKeyBody = z.strictObject({
  key: z.string().regex(/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})$/, "expected 32, 48 or 64 hex digits"),
});
export const TransportKeyStored = z.strictObject({ keyId: z.string(), version: z.int() });
