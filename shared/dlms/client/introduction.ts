import type { Introduction, Reception } from "../../metering/driver.ts";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { LinkError } from "../../ports/link.ts";
import { toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Data } from "../data.ts";
import { DataNotification } from "../data-notification.ts";
import { llcOf } from "../hdlc-frame.ts";
import { HdlcSplitter } from "../hdlc-splitter.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { GeneralGloCiphering } from "../security/ciphered-apdu.ts";
import { TITLE_OCTETS } from "../security/protection.ts";
import { WrapperSplitter } from "../wrapper.ts";
import { conversationError } from "./apdu-link.ts";
import { beginsHdlc } from "./conversation-watch.ts";
import { asPublicClient } from "./public-client.ts";
import type { DlmsSession } from "./session.ts";

type IntroduceContext = Parameters<NonNullable<Reception["introduce"]>>[0];

/** COSEM logical device name: the manufacturer's three letters, then what is unique among its devices. */
const DEVICE_NAME = "0.0.42.0.0.255";
const FLAG_LETTERS = 3;
const NAME_OCTETS_MAX = 32;
/** So many names are looked up at most. */
const NAMES_MAX = 4;

/**
 * Who calls. A push that the meter sends by itself names it (the title before a ciphered one, a title or a device name
 * in the body of a clear one: its content is not looked at otherwise). A meter that says nothing is asked: the public
 * association may show its title, and its logical device name holds the serial.
 */
export async function introduce(context: IntroduceContext): Promise<Introduction> {
  const said = await firstWord(context);
  if (said.names !== undefined) return said.names;
  if (said.framing === "wrapper") return asked(context, {});
  if (said.framing !== undefined) return asked(context, said.framing);
  try {
    return await asked(context, {});
  } catch (error) {
    // Nothing at all came back: the meter may speak HDLC, which passes over what is none.
    if (!(error instanceof SessionError) || error.code !== "dlms.no-answer") throw error;
    return asked(context, { framing: "hdlc" });
  }
}

type Access = DlmsProfile["dlms"]["access"];
/** What a meter has said by itself, and the framing in which it did; undefined: nothing. */
interface FirstWord {
  readonly framing: "wrapper" | Pick<Access, "framing" | "hdlc"> | undefined;
  readonly names?: Introduction;
}

async function firstWord({ link, clock, firstWordMs, onFrame }: IntroduceContext): Promise<FirstWord> {
  const wrapper = new WrapperSplitter();
  const hdlc = new HdlcSplitter();
  const deadline = clock.now() + firstWordMs;
  let framing: FirstWord["framing"];
  /** APDUs of pushes in what came. */
  const apdusIn = (octets: Uint8Array): readonly Uint8Array[] => {
    framing ??= beginsHdlc(octets) ? { framing: "hdlc" } : "wrapper";
    if (framing === "wrapper")
      return wrapper.push(octets).map(({ apdu, frame }) => {
        onFrame?.("received", frame);
        return apdu;
      });
    return hdlc.push(octets).flatMap(({ frame, octets: whole }) => {
      onFrame?.("received", whole);
      const { lower, octets: addressOctets } = frame.source;
      framing = { framing: "hdlc", hdlc: { ...ADDRESSED, physicalDevice: lower ?? 0, addressOctets } };
      return llcOf(frame.information)?.apdu ?? [];
    });
  };
  try {
    for (;;) {
      for (const apdu of apdusIn(await link.receive(deadline))) {
        const names = namesIn(apdu);
        if (names.titles.length + names.serials.length > 0) return { framing, names };
      }
    }
  } catch (error) {
    if (error instanceof LinkError && error.code === "link.timeout" && wrapper.pending === 0) return { framing };
    throw conversationError(error, false);
  }
}
const ADDRESSED = { informationMax: 128, window: 1 } as const;

/** Names that an unsolicited APDU says, as hints. */
export function namesIn(apdu: Uint8Array): Introduction {
  try {
    if (apdu[0] === 0xdb) return namesOf([decode(GeneralGloCiphering, apdu).systemTitle]);
    if (apdu[0] === 0x0f) return namesOf(octetsIn(decode(DataNotification, apdu).notificationBody));
  } catch (error) {
    if (!(error instanceof WireError)) throw error; // a push in a form of its own: the meter is asked
  }
  return namesOf([]);
}

/** Octet-strings of a body and of the structures directly in it. */
function octetsIn(body: Data): readonly Uint8Array[] {
  if (body.type === "octet-string") return [body.value];
  if (body.type === "visible-string") return [Uint8Array.from(body.value, (letter) => letter.charCodeAt(0))];
  if (body.type !== "structure") return [];
  return body.value.flatMap((member) =>
    member.type === "structure" ? member.value.flatMap(octetsIn) : octetsIn(member),
  );
}

function namesOf(candidates: readonly Uint8Array[]): Introduction {
  const titles = candidates.filter(({ length }) => length === TITLE_OCTETS).map(toHex);
  const serials = candidates.flatMap(serialsIn);
  return { titles: titles.slice(0, NAMES_MAX), serials: serials.slice(0, NAMES_MAX) };
}

/** The whole device name, and without the manufacturer's letters: utilities enrol the one or the other. */
function serialsIn(name: Uint8Array): readonly string[] {
  if (name.length <= FLAG_LETTERS || name.length > NAME_OCTETS_MAX) return [];
  if (name.some((octet) => octet <= 0x20 || octet > 0x7e)) return [];
  const text = String.fromCharCode(...name);
  return [text, text.slice(FLAG_LETTERS)];
}

/** `framed`: framing and address of the meter, as far as they are known. */
function asked(context: IntroduceContext, framed: Pick<Access, "framing" | "hdlc">): Promise<Introduction> {
  const work = async (session: DlmsSession): Promise<Introduction> => {
    const title = session.exchange.agreement.respondingTitle;
    const name = await session.read(attributeOf(DataObject, DataObject.attributes.value, DEVICE_NAME));
    const octets = name.kind === "value" ? octetsIn(name.value) : [];
    return namesOf([...(title === undefined ? [] : [title]), ...octets]);
  };
  return asPublicClient(context, work, framed);
}
