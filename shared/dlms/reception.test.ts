import { describe, expect, it } from "vitest";
import { type Link, LinkError } from "../ports/link.ts";
import { concat, fromHex, toHex } from "../ports/octets.ts";
import { encode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import { Aare, NO_AARE_FIELDS } from "./aare.ts";
import { Aarq, NO_AARQ_FIELDS } from "./aarq.ts";
import { access, contextOf, deviceOf, holding, loopback, METER_TITLE } from "./client/loopback-fixture.ts";
import type { Data } from "./data.ts";
import { DataNotification } from "./data-notification.ts";
import { dlmsReception } from "./reception.ts";
import { Rlre, Rlrq } from "./release.ts";
import { GeneralGloCiphering } from "./security/ciphered-apdu.ts";
import { wrap } from "./wrapper.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const push = (notificationBody: Data): Uint8Array =>
  wrap(
    1,
    16,
    encode(DataNotification, {
      longInvokeIdAndPriority: 1,
      dateTime: new Uint8Array(0),
      notificationBody,
      taggedDateTime: false,
    }),
  );

/** A meter of the public association, which says these octets by itself first. */
function caller(
  first: readonly Uint8Array[],
  objects = [holding(1, "0.0.42.0.0.255", { 2: { type: "octet-string", value: ascii("HRSmeter-17") } })],
): Link {
  const meter = loopback(deviceOf(objects, access({ authentication: "none", ciphering: "none", clientSap: 16 })));
  const said = [...first];
  return {
    ...meter,
    receive: async (deadline) => {
      const next = said.shift();
      return next ?? meter.receive(deadline);
    },
  };
}
const introduce = (link: Link) => dlmsReception.introduce({ ...contextOf(link), firstWordMs: 1_000 });

describe("a DLMS meter that calls in", () => {
  it("is named by the title before a ciphered push", async () => {
    const apdu = encode(GeneralGloCiphering, { systemTitle: METER_TITLE, cipheredService: new Uint8Array(20) });
    expect(await introduce(caller([wrap(1, 16, apdu)]))).toEqual({ titles: [toHex(METER_TITLE)], serials: [] });
  });

  it("is named by title or device name in the body of a clear push, cut anywhere", async () => {
    const body: Data = {
      type: "structure",
      value: [
        { type: "octet-string", value: ascii("HRS26000001") },
        { type: "structure", value: [{ type: "octet-string", value: METER_TITLE }] },
        { type: "unsigned", value: 3 },
      ],
    };
    const octets = push(body);
    const named = await introduce(caller([octets.subarray(0, 5), octets.subarray(5, 11), octets.subarray(11)]));
    expect(named).toEqual({ titles: [toHex(METER_TITLE)], serials: ["HRS26000001", "26000001"] });
  });

  it("that says nothing of use is asked for its device name in the open", async () => {
    const useless = push({ type: "unsigned", value: 9 });
    for (const first of [[], [useless], [wrap(1, 16, fromHex("0f01"))]])
      expect(await introduce(caller(first))).toEqual({ titles: [], serials: ["HRSmeter-17", "meter-17"] });
  });

  it("that names nothing at all is nobody", async () => {
    expect(await introduce(caller([], []))).toEqual({ titles: [], serials: [] });
    const odd = holding(1, "0.0.42.0.0.255", { 2: { type: "octet-string", value: fromHex("000102030405060708090a") } });
    expect(await introduce(caller([], [odd]))).toEqual({ titles: [], serials: [] });
  });

  it("is not waited for when it closes, or speaks something else", async () => {
    const gone: Link = { ...caller([]), receive: async () => Promise.reject(new LinkError("link.closed", "gone")) };
    await expect(introduce(gone)).rejects.toMatchObject({ code: "link.closed" });
    await expect(introduce(caller([ascii("GET / HTTP/1.1\r\n")]))).rejects.toMatchObject({ reason: "protocol" });
  });
});

const NO_AARQ = { ...NO_AARQ_FIELDS, applicationContextName: 1, userInformation: undefined };

describe("the watch on a connection", () => {
  const rlrq = wrap(1, 1, encode(Rlrq, { reason: undefined, userInformation: undefined }));
  const rlre = wrap(1, 1, encode(Rlre, { reason: undefined, userInformation: undefined }));
  const request = wrap(1, 1, fromHex("c001c100080000010000ff0200"));
  const answer = wrap(1, 1, fromHex("c401c10000"));

  it("sees a connection at rest before anything was said, after a push, and after an answered release", () => {
    const watch = dlmsReception.watch();
    expect(watch.atRest).toBe(true);
    watch.received(push({ type: "unsigned", value: 1 }));
    expect(watch.atRest).toBe(true);
    watch.sent(concat(request, rlrq));
    watch.received(concat(answer, push({ type: "unsigned", value: 1 })));
    expect(watch.atRest).toBe(false);
    watch.received(rlre.subarray(0, 4));
    expect(watch.atRest).toBe(false);
    watch.received(rlre.subarray(4));
    expect(watch.atRest).toBe(true);
  });

  it("sees what may still come: an answer, a release without answer, half a push, half a request", () => {
    for (const octets of [request, rlrq, request.subarray(0, 3)]) {
      const watch = dlmsReception.watch();
      watch.sent(octets);
      expect(watch.atRest).toBe(false);
    }
    const watch = dlmsReception.watch();
    watch.sent(request);
    watch.received(answer);
    expect(watch.atRest, "an association is still open").toBe(false);
    const pushing = dlmsReception.watch();
    pushing.received(push({ type: "unsigned", value: 1 }).subarray(0, 9));
    expect(pushing.atRest).toBe(false);
  });

  it("is at rest again when the meter refuses the association, and not when it accepts it", () => {
    const aarq = wrap(1, 1, encode(Aarq, NO_AARQ));
    const aare = (result: number) =>
      wrap(
        1,
        1,
        encode(Aare, {
          ...NO_AARE_FIELDS,
          applicationContextName: 1,
          result,
          resultSourceDiagnostic: { kind: "acseServiceUser", value: 1 },
        }),
      );
    const restsAfter = (...answers: readonly Uint8Array[]): boolean => {
      const watch = dlmsReception.watch();
      watch.sent(aarq);
      for (const octets of answers) watch.received(octets);
      return watch.atRest;
    };
    expect(restsAfter(aare(1))).toBe(true);
    expect(restsAfter(wrap(1, 1, fromHex("d80103")))).toBe(true);
    expect(restsAfter(aare(0))).toBe(false);
    expect(restsAfter(wrap(1, 1, fromHex("6103a10902")))).toBe(false);
    const watch = dlmsReception.watch();
    watch.sent(concat(aarq, request));
    watch.received(aare(1));
    expect(watch.atRest, "the request may still be answered").toBe(false);
  });

  it("refuses what is no wrapper", () => {
    expect(() => dlmsReception.watch().received(ascii("hello"))).toThrow(WireError);
  });
});
