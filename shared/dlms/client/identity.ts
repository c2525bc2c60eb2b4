import { identityText, type MeterIdentity } from "../../metering/identity.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Data } from "../data.ts";
import { ActivityCalendar } from "../objects/activity-calendar.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf, type ReadableAttribute } from "../objects/interface-class.ts";
import type { Answer } from "./session.ts";

type Asked = readonly [fact: keyof MeterIdentity, attribute: ReadableAttribute];

/** What the device profile says to ask: the identifier of the firmware that runs, and the name of the active calendar. */
export function identityAttributes({ imageTransfer, tariff }: DlmsProfile["dlms"]): readonly Asked[] {
  const firmware = imageTransfer?.activeFirmware;
  const { calendarNameActive } = ActivityCalendar.attributes;
  return [
    ...(firmware === undefined
      ? []
      : [["firmware", attributeOf(DataObject, DataObject.attributes.value, firmware)] as const]),
    ...(tariff === undefined
      ? []
      : [["program", attributeOf(ActivityCalendar, calendarNameActive, tariff.calendar)] as const]),
  ];
}

/** The answers to what was asked, in its order; what is refused, or is no text, is left out. */
export function identityOf(asked: readonly Asked[], answers: readonly Answer<unknown>[]): MeterIdentity {
  const said = asked.map(([fact], index) => [fact, textOf(answers[index])] as const);
  return Object.fromEntries(said.filter(([, text]) => text !== undefined));
}

function textOf(answer: Answer<unknown> | undefined): string | undefined {
  if (answer?.kind !== "value") return undefined;
  const { value } = answer;
  if (value instanceof Uint8Array) return identityText(value);
  if (typeof value !== "object" || value === null) return undefined;
  // Attributes of any type come as they were encoded.
  const { type, value: said } = value as Partial<Data>;
  if (said instanceof Uint8Array) return identityText(said);
  return type === "visible-string" || type === "utf8-string"
    ? identityText(new TextEncoder().encode(String(said)))
    : undefined;
}
