import { z } from "zod";
import { Calendar, isBlackedOut } from "../jobs/calendar.ts";
import { TariffName } from "./tariff.ts";

const Amount = z.int().min(-1_000_000_000_000).max(1_000_000_000_000);

/** What is done about credit, by balance in minor units. */
export const PrepaymentPolicy = z
  .strictObject({
    name: TariffName,
    /** A balance at or below each is warned of, once. */
    warnAt: z.array(Amount).max(8).default([]),
    /** At or below: the switch is to be opened. Below zero: emergency credit. */
    disconnectAt: Amount,
    /** At or above: it is to be closed again. */
    reconnectAt: Amount,
    reconnectTo: z.enum(["closed", "armed"]),
    /** Friendly hours and days: nobody is cut off while the calendar holds. Absent: none. */
    friendly: Calendar.optional(),
    /** Whether switches are ordered at all. */
    automatic: z.boolean(),
    /** Whose orders they are, in guards and audit: `automation/<identity>`. */
    identity: TariffName.default("prepayment"),
  })
  .refine(({ disconnectAt, reconnectAt }) => reconnectAt > disconnectAt, {
    message: "expected more than disconnectAt",
    path: ["reconnectAt"],
  });
export type PrepaymentPolicy = z.infer<typeof PrepaymentPolicy>;

/** An order that is given in time may be carried out until it expires: friendly hours count then too. */
export const isFriendly = ({ friendly }: PrepaymentPolicy, from: number, to: number): boolean =>
  friendly !== undefined && (isBlackedOut(friendly, from) || isBlackedOut(friendly, to));
