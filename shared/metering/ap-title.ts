import { z } from "zod";

/** An ApTitle as text: absolute `2.16.124…`, or relative to the C12.22 root, `.23.273`. */
export const ApTitleText = z
  .string()
  .regex(/^(?:\.\d+(?:\.\d+)*|\d+(?:\.\d+)+)$/, "expected an ApTitle: .23.273 or 2.16.124.113620.1.22.0.23.273")
  .max(128);
