import { describe, expect, it } from "vitest";
import { agreeKey, transferKeys } from "../dlms/client/transfer-keys.ts";
import type { KeyName } from "../dlms/security/key-transfer.ts";
import type { MeterKeys } from "../metering/meter-keys.ts";
import type { Operation } from "../metering/operation.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { fromHex, toHex } from "../ports/octets.ts";
import { CLIENT, dlmsSession, type Lab, lab, meterSession } from "./meter-lab-fixture.ts";

const enrolled = (of: Lab) => of.meter.plan.enrolled as MeterKeys;
const master = (of: Lab): Uint8Array => fromHex(enrolled(of).master ?? "");
const fresh = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const registers: Operation = { kind: "readRegisters", measurements: ["energy.active.import.total"] };

describe("a transfer of keys to a simulated meter", () => {
  it("leaves the session under the old keys, and the next one needs the new", async () => {
    const of = lab("generic-eu");
    const session = await dlmsSession(of);
    const keys = new Map<KeyName, Uint8Array>([
      ["unicast", fresh(16, 0xa1)],
      ["authentication", fresh(16, 0xb2)],
    ]);
    await transferKeys(session, nodeCrypto, of.profile.dlms, master(of), keys);
    await session.release();
    await expect(meterSession(of)).rejects.toMatchObject({ reason: "auth" });
    const renewed = { ...enrolled(of), unicast: toHex(fresh(16, 0xa1)), authentication: toHex(fresh(16, 0xb2)) };
    // Under a new key counters begin anew.
    const next = await meterSession(of, { keys: renewed, counter: 0 });
    expect((await next.perform(registers)).registers).toHaveLength(1);
    expect(of.meter.kept.keys?.replaced).toEqual({ unicast: renewed.unicast, authentication: renewed.authentication });
  });

  it("may replace the master key, which then wraps the next one", async () => {
    const of = lab("generic-eu");
    const session = await dlmsSession(of);
    const next = fresh(16, 0xcc);
    await transferKeys(session, nodeCrypto, of.profile.dlms, master(of), new Map([["master", next]]));
    const key = new Map<KeyName, Uint8Array>([["authentication", fresh(16, 1)]]);
    await expect(transferKeys(session, nodeCrypto, of.profile.dlms, master(of), key)).rejects.toMatchObject({
      reason: "refused",
      code: "dlms.other-reason",
      retry: "never",
    });
    await transferKeys(session, nodeCrypto, of.profile.dlms, next, key);
  });

  it("under a wrong master key changes nothing", async () => {
    const of = lab("generic-eu");
    const session = await dlmsSession(of);
    const keys = new Map<KeyName, Uint8Array>([["unicast", fresh(16, 2)]]);
    await expect(transferKeys(session, nodeCrypto, of.profile.dlms, fresh(16, 9), keys)).rejects.toMatchObject({
      reason: "refused",
    });
    await session.release();
    expect((await (await meterSession(of)).perform(registers)).registers).toHaveLength(1);
  });

  it("is refused before anything is sent: a key that the model does not take so, one of another length", async () => {
    const of = lab("generic-eu");
    const session = await dlmsSession(of);
    const transfer = (name: KeyName, length: number) =>
      transferKeys(session, nodeCrypto, of.profile.dlms, master(of), new Map([[name, fresh(length, 1)]]));
    await expect(transfer("broadcast", 16)).rejects.toMatchObject({ code: "profile.no-key-transfer" });
    await expect(transfer("unicast", 32)).rejects.toMatchObject({ code: "dlms.key-length" });
  });

  it("carries keys of 32 octets in suite 2", async () => {
    const of = lab("generic-eu-suite-2");
    const session = await dlmsSession(of);
    await transferKeys(session, nodeCrypto, of.profile.dlms, master(of), new Map([["unicast", fresh(32, 3)]]));
    await session.release();
    const keys = { ...enrolled(of), unicast: toHex(fresh(32, 3)) };
    expect((await (await meterSession(of, { keys, counter: 0 })).perform(registers)).registers).toHaveLength(1);
  });
});

describe("an agreement of a key with a simulated meter of suite 1", () => {
  const side = (of: Lab, signing = enrolled(of).clientSigning) => {
    const ephemeral = nodeCrypto.privateKey("P-256", fresh(32, 0x11));
    const ownSigning = nodeCrypto.privateKey("P-256", fromHex(signing ?? ""));
    if (ephemeral === undefined || ownSigning === undefined) throw new Error("no keys");
    return { curve: "P-256", ephemeral, ownSigning, peerSigning: fromHex(enrolled(of).meterSigning ?? "") } as const;
  };
  const titles = (of: Lab) => ({ client: fromHex(CLIENT), server: fromHex(of.meter.plan.systemTitle) });

  it("gives both the same key, which the next session is under", async () => {
    const of = lab("idis-p3");
    const session = await dlmsSession(of);
    const key = await agreeKey(session, nodeCrypto, of.profile.dlms, side(of), titles(of), "unicast");
    await session.release();
    const keys = { ...enrolled(of), unicast: toHex(key) };
    expect((await (await meterSession(of, { keys, counter: 0 })).perform(registers)).registers).toHaveLength(1);
    await expect(meterSession(of)).rejects.toMatchObject({ reason: "auth" });
  });

  it("is refused by the meter where the client's point is signed by somebody else", async () => {
    const of = lab("idis-p3");
    const session = await dlmsSession(of);
    const wrong = side(of, toHex(fresh(32, 0x77)));
    await expect(agreeKey(session, nodeCrypto, of.profile.dlms, wrong, titles(of), "unicast")).rejects.toMatchObject({
      reason: "refused",
      code: "dlms.other-reason",
    });
    await session.release();
    expect((await (await meterSession(of)).perform(registers)).registers).toHaveLength(1);
  });

  it("is not believed where the meter's point is signed by another key than is enrolled", async () => {
    const of = lab("idis-p3");
    const session = await dlmsSession(of);
    const mine = side(of);
    const peerSigning = nodeCrypto.publicKeyOf(mine.ephemeral);
    await expect(
      agreeKey(session, nodeCrypto, of.profile.dlms, { ...mine, peerSigning }, titles(of), "unicast"),
    ).rejects.toMatchObject({ reason: "auth", code: "dlms.bad-agreement" });
  });

  it("is not tried with a model of suite 0", async () => {
    const [of, other] = [lab("generic-eu"), lab("idis-p3")];
    const session = await dlmsSession(of);
    await expect(
      agreeKey(session, nodeCrypto, of.profile.dlms, side(other), titles(of), "unicast"),
    ).rejects.toMatchObject({ code: "profile.no-key-agreement" });
  });
});
