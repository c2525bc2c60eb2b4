import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataNotification } from "../../shared/dlms/data-notification.ts";
import { DateTimeCodec, dateTimeAt, instantOf } from "../../shared/dlms/date-time.ts";
import { EventNotificationRequest } from "../../shared/dlms/event-notification-request.ts";
import { InformationReportRequest } from "../../shared/dlms/information-report-request.ts";
import { protectApdu, protectedApdu } from "../../shared/dlms/security/apdu-protection.ts";
import { openContent } from "../../shared/dlms/security/protection.ts";
import { AUTHENTICATED_ENCRYPTED } from "../../shared/dlms/security/security-control.ts";
import { Wrapper, wrap } from "../../shared/dlms/wrapper.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { decode, encode } from "../../shared/wire/codec.ts";
import { authenticationKey, CLIENT_TITLE, LAST_END, METER_TITLE, NOTE, peer, unicastKey } from "./own-meter.ts";
import { pythonEnvironment } from "./python-environment.ts";

/** Pushes: gurux-dlms reads Data-Notifications of ours, and ours reads those that it makes. */

const environment = await pythonEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const KEYS = {
  encryption: nodeCrypto.secretKey(fromHex(unicastKey(0))),
  authentication: fromHex(authenticationKey(0)),
};
const notification = encode(DataNotification, {
  longInvokeIdAndPriority: 1,
  dateTime: encode(DateTimeCodec, dateTimeAt(LAST_END, 0)),
  notificationBody: {
    type: "structure",
    value: [
      { type: "octet-string", value: fromHex("0a0b") },
      { type: "octet-string", value: fromHex("0c") },
    ],
  },
  taggedDateTime: false,
});

describe.skipIf(environment.kind === "absent")("Data-Notification", () => {
  it.each([
    ["in clear", false],
    ["authenticated and encrypted", true],
  ])("%s goes from us to gurux-dlms and back", async (_, secured) => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const dress = { form: "general", scope: "global", securityControl: AUTHENTICATED_ENCRYPTED } as const;
    const sender = { systemTitle: fromHex(METER_TITLE), invocationCounter: 5 };
    const apdu = secured ? protectApdu(nodeCrypto, KEYS, dress, sender, notification) : notification;
    const request = {
      frame: toHex(wrap(1, 1, apdu)),
      clientTitle: CLIENT_TITLE,
      meterTitle: METER_TITLE,
      time: LAST_END,
      value: "beef",
      ...(secured && { unicast: unicastKey(0), authenticationKey: authenticationKey(0) }),
    };
    const said = await peer(
      environment.python,
      [join(import.meta.dirname, "gurux_notifications.py")],
      JSON.stringify(request),
    );
    const { read, made } = JSON.parse(said) as { readonly read: unknown; readonly made: string };
    expect(read).toEqual(["0a0b", "0c"]);

    const theirs = decode(Wrapper, fromHex(made)).apdu;
    const found = protectedApdu(theirs);
    expect(found !== undefined).toBe(secured);
    const opened = found && openContent(nodeCrypto, KEYS, fromHex(METER_TITLE), found.content);
    const clear = opened === undefined ? theirs : opened.kind === "opened" ? opened.apdu : new Uint8Array(0);
    const { dateTime, notificationBody } = decode(DataNotification, clear);
    expect(instantOf(decode(DateTimeCodec, dateTime), "utc", 0)).toBe(LAST_END);
    expect(notificationBody).toEqual({
      type: "structure",
      value: [{ type: "octet-string", value: fromHex("beef") }],
    });
  });
});

/** The package reads neither as released: it fails over names of its own. */
describe.skipIf(environment.kind === "absent")("what gurux-dlms reports of a Data object", () => {
  const made = async (referencing: "logical-name" | "short-name") => {
    if (environment.kind === "absent") throw new Error(environment.reason);
    const request = { referencing, name: NOTE, shortName: 0x2000, time: LAST_END, value: "beef" };
    const said = await peer(
      environment.python,
      [join(import.meta.dirname, "gurux_reports.py")],
      JSON.stringify(request),
    );
    return decode(Wrapper, fromHex(said)).apdu;
  };
  const value = { type: "octet-string", value: fromHex("beef") };

  it("as an Event-Notification is read, in the package's form of its time", async () => {
    const { time, ...rest } = decode(EventNotificationRequest, await made("logical-name"));
    expect(time && instantOf(decode(DateTimeCodec, time), "utc", 0)).toBe(LAST_END);
    expect(rest).toEqual({
      cosemAttributeDescriptor: { classId: 1, instanceId: NOTE, attributeId: 2 },
      attributeValue: value,
      taggedTime: true,
    });
  });

  it("as an Information-Report is read", async () => {
    expect(decode(InformationReportRequest, await made("short-name"))).toMatchObject({
      variableAccessSpecification: [{ kind: "variableName", variableName: 0x2008 }],
      listOfData: [value],
    });
  });
});
