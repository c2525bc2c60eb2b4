import { describe, expect, it } from "vitest";
import {
  activateImage,
  type Image,
  type ImageProgress,
  imageActivation,
  transferImage,
  verifyImage,
} from "../dlms/client/transfer-image.ts";
import { LinkError } from "../ports/link.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { ACTIVATE_MS, IMAGE_BLOCK, IMAGE_MAX, simulatedImage, VERIFY_MS } from "./image-memory.ts";
import { dlmsSession, type Lab, lab } from "./meter-lab-fixture.ts";

const octets = simulatedImage(nodeCrypto, "HRS-3.0.0", 5_130);
const BLOCKS = Math.ceil(octets.length / IMAGE_BLOCK);
const imageOf = (content: Uint8Array): Image & { readonly asked: number[] } => {
  const asked: number[] = [];
  return {
    identifier: new TextEncoder().encode("HRS-3.0.0"),
    size: content.length,
    octets: (from, to) => {
      asked.push(from / IMAGE_BLOCK);
      return content.subarray(from, to);
    },
    asked,
  };
};
const dlms = (of: Lab) => of.profile.dlms;
const patience = (of: Lab, withinMs = 30_000) => ({ clock: of.clock, withinMs, pollMs: 1_000 });

describe("an image on its way to a simulated meter", () => {
  it.each(["generic-eu", "idis-p2", "idis-p3"])("is brought, verified and activated: %s", async (name) => {
    const of = lab(name);
    const image = imageOf(octets);
    const session = await dlmsSession(of);
    const seen: ImageProgress[] = [];
    await transferImage(session, dlms(of), image, { resume: false, onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([
      { transferred: 0, blocks: BLOCKS },
      { transferred: BLOCKS, blocks: BLOCKS },
    ]);
    await verifyImage(session, dlms(of), image, patience(of));
    expect(await imageActivation(session, dlms(of))).toBe("not-begun");
    expect(await activateImage(session, dlms(of))).toBe("accepted");
    expect(await imageActivation(session, dlms(of))).toBe("under-way");
    of.clock.pass(ACTIVATE_MS);
    expect(await imageActivation(session, dlms(of))).toBe("successful");
    expect(of.meter.parts.image.active).toBe("HRS-3.0.0");
    expect(of.meter.kept.firmware).toBe("HRS-3.0.0");
  });

  it("goes on after a lost connection with the blocks that the meter misses, without initiating anew", async () => {
    const of = lab("generic-eu");
    const image = imageOf(octets);
    let frames = 0;
    const lossy = await dlmsSession(of, {
      link: (link) => ({
        ...link,
        send: async (frame) => {
          if (++frames > 14) throw new LinkError("link.closed", "the carrier dropped the connection");
          await link.send(frame);
        },
      }),
    });
    await expect(transferImage(lossy, dlms(of), image, { resume: false })).rejects.toMatchObject({
      reason: "interrupted",
    });
    const held = [...Array(BLOCKS).keys()].filter((number) => of.meter.parts.image.received(number));
    expect(held.length).toBeGreaterThan(2);
    expect(held.length).toBeLessThan(BLOCKS);
    image.asked.length = 0;
    const session = await dlmsSession(of);
    await transferImage(session, dlms(of), image, { resume: true });
    expect(image.asked).toEqual([...Array(BLOCKS).keys()].filter((number) => !held.includes(number)));
    await verifyImage(session, dlms(of), image, patience(of));
  });

  it("begins anew where the meter has another transfer under way", async () => {
    const of = lab("generic-eu");
    const other = imageOf(simulatedImage(nodeCrypto, "HRS-9", 2_000));
    await transferImage(await dlmsSession(of), dlms(of), other, { resume: false });
    const image = imageOf(octets);
    await transferImage(await dlmsSession(of), dlms(of), image, { resume: true });
    expect(image.asked).toHaveLength(BLOCKS);
  });

  it("that is damaged is found unfit, and is not activated", async () => {
    const of = lab("generic-eu");
    const damaged = octets.slice();
    damaged[700] = (damaged[700] ?? 0) ^ 1;
    const image = imageOf(damaged);
    const session = await dlmsSession(of);
    await transferImage(session, dlms(of), image, { resume: false });
    await expect(verifyImage(session, dlms(of), image, patience(of))).rejects.toMatchObject({
      reason: "refused",
      code: "dlms.image-not-verified",
    });
    await expect(activateImage(session, dlms(of))).rejects.toMatchObject({ reason: "refused", retry: "never" });
    expect(of.meter.parts.image.active).toBe("HRS-2.4.1");
  });

  it("is not taken for another that the meter would activate", async () => {
    const of = lab("generic-eu");
    const image = imageOf(octets);
    const session = await dlmsSession(of);
    await transferImage(session, dlms(of), image, { resume: false });
    const other = { ...image, identifier: new TextEncoder().encode("HRS-4") };
    await expect(verifyImage(session, dlms(of), other, patience(of))).rejects.toMatchObject({
      code: "dlms.other-image",
    });
  });

  it("is given up for now when verification takes too long", async () => {
    const of = lab("generic-eu");
    const image = imageOf(octets);
    const session = await dlmsSession(of);
    await transferImage(session, dlms(of), image, { resume: false });
    await expect(verifyImage(session, dlms(of), image, patience(of, VERIFY_MS / 3))).rejects.toMatchObject({
      reason: "timeout",
      code: "dlms.image-status",
    });
  });

  it("too large for the meter is refused for good", async () => {
    const of = lab("generic-eu");
    const image = imageOf(new Uint8Array(IMAGE_MAX + 1));
    await expect(transferImage(await dlmsSession(of), dlms(of), image, { resume: false })).rejects.toMatchObject({
      reason: "refused",
      code: "dlms.other-reason",
      retry: "never",
    });
  });

  it("is not sent over a session that proves no keys, nor to a model without image transfer", async () => {
    const open = lab("generic-eu-lls");
    const session = await dlmsSession(open);
    const image = imageOf(octets);
    const { imageTransfer } = lab("generic-eu").profile.dlms;
    const claimed = { ...dlms(open), ...(imageTransfer && { imageTransfer }) };
    await expect(transferImage(session, claimed, image, { resume: false })).rejects.toMatchObject({ reason: "unsafe" });
    await expect(transferImage(session, dlms(open), image, { resume: false })).rejects.toMatchObject({
      code: "profile.no-image-transfer",
    });
  });
});
