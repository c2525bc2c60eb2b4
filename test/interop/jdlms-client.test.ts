import { describe, expect, it } from "vitest";
import { dateTimeAt, dateTimeData } from "../../shared/dlms/date-time.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { javaEnvironment } from "./java-environment.ts";
import {
  authenticationKey,
  CLIENT_TITLE,
  ECHO,
  importAt,
  LAST_END,
  LONG_NOTE,
  NOTE,
  OTHER_NOTE,
  ownMeter,
  PROFILE,
  peer,
  SECRET,
  STEP_MS,
  unicastKey,
  type Way,
} from "./own-meter.ts";

/** jDLMS as a client of a meter's side of ours: services, blocks, lists, selective access, suites, HDLC, short names. */

const environment = await javaEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const hexTime = (instant: number): string => {
  const data = dateTimeData(dateTimeAt(instant, -60));
  if (data.type !== "octet-string") throw new Error("expected octets");
  return toHex(data.value);
};
const row = (end: number): string => `[${hexTime(end)},${importAt(end)}]`;

/** What jDLMS says to each request, in order. */
async function converse(way: Way, requests: readonly string[], other: Readonly<Record<string, string>> = {}) {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const meter = await ownMeter(way);
  try {
    const settings = {
      port: meter.port,
      framing: way.framing,
      authentication: way.authentication,
      title: CLIENT_TITLE,
      secret: SECRET,
      ...(way.suite !== undefined && {
        unicast: unicastKey(way.suite),
        authenticationKey: authenticationKey(way.suite),
      }),
      ...(way.referencing && { short: "yes" }),
      ...other,
    };
    const lines = [...Object.entries(settings).map(([name, value]) => `set ${name} ${value}`), "open", ...requests];
    const said = await peer("java", environment.program("JdlmsClient"), `${lines.join("\n")}\n`);
    return { said: said.trim().split("\n"), held: meter.held };
  } finally {
    meter.close();
  }
}

const WAYS: readonly Way[] = [
  { framing: "wrapper", authentication: "none" },
  { framing: "wrapper", authentication: "lls" },
  { framing: "wrapper", authentication: "hls-gmac", suite: 0 },
  // The peer sends segments that are none when an information field is shorter than its APDU.
  { framing: "hdlc", informationMax: 1024, authentication: "none" },
  { framing: "hdlc", informationMax: 1024, authentication: "hls-gmac", suite: 0 },
];

describe.skipIf(environment.kind === "absent")("jDLMS reads, writes and calls", { timeout: 60_000 }, () => {
  it.each(WAYS)("%o", async (way) => {
    const { said, held } = await converse(way, [
      `write 1 ${NOTE} 2 0102`,
      `get 1 ${NOTE} 2`,
      `get 1 ${LONG_NOTE} 2`,
      `write-list 1 ${NOTE} 2 0a0b 1 ${OTHER_NOTE} 2 0c`,
      `get-list 1 ${NOTE} 2 1 ${OTHER_NOTE} 2 1 ${OTHER_NOTE} 7`,
      `get-list 1 ${NOTE} 2 1 ${LONG_NOTE} 2`,
      `invoke 9 ${ECHO} 1 beef`,
      `invoke-list 9 ${ECHO} 1 beef 9 ${ECHO} 1 01`,
      `range 7 ${PROFILE} 2 ${hexTime(LAST_END - 2 * STEP_MS)} ${hexTime(LAST_END)}`,
      `entries 7 ${PROFILE} 2 1 2`,
    ]);
    expect(said).toEqual([
      "SUCCESS",
      "0102",
      "5a".repeat(1_200),
      "[SUCCESS, SUCCESS]",
      "0a0b 0c OBJECT_UNDEFINED",
      `0a0b ${"5a".repeat(1_200)}`,
      "SUCCESS beef",
      "SUCCESS beef SUCCESS 01",
      `[${[2, 1, 0].map((back) => row(LAST_END - back * STEP_MS)).join(",")}]`,
      `[${[95, 94].map((back) => row(LAST_END - back * STEP_MS)).join(",")}]`,
    ]);
    expect(held.note).toEqual({ type: "octet-string", value: fromHex("0a0b") });
  });

  it.each([
    { framing: "wrapper", authentication: "none", referencing: "short-name" },
    { framing: "wrapper", authentication: "hls-gmac", suite: 0, referencing: "short-name" },
  ] as const)("by short names: %o", async (way) => {
    const { said } = await converse(way, ["names", `write 1 ${NOTE} 2 0102`, `get 1 ${NOTE} 2`]);
    // The meter's seven objects and the association.
    expect(said).toEqual(["8", "SUCCESS", "0102"]);
  });

  it("is refused with another key", async () => {
    const way = { framing: "wrapper", authentication: "hls-gmac", suite: 0 } as const;
    await expect(converse(way, [`get 1 ${NOTE} 2`], { unicast: "77".repeat(16) })).rejects.toThrow("the peer ended");
  });
});
