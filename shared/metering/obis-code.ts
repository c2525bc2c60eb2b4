import { z } from "zod";

/** OBIS code as text: A.B.C.D.E.F. */
export const ObisCode = z
  .string()
  .regex(/^(?:\d{1,3}\.){5}\d{1,3}$/, "expected an OBIS code A.B.C.D.E.F")
  .refine((code) => code.split(".").every((group) => Number(group) <= 255), "expected groups of 0 to 255");
