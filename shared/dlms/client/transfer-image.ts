import type { DlmsImageTransfer } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { Clock } from "../../ports/clock.ts";
import { equalOctets, toHex } from "../../ports/octets.ts";
import type { BitString } from "../data.ts";
import { ACTION_RESULT, nameIn } from "../data-access-result.ts";
import { IMAGE_TRANSFER_STATUS, ImageTransfer } from "../objects/image-transfer.ts";
import { type Attribute, attributeOf, methodOf } from "../objects/interface-class.ts";
import { requireSuccess } from "./action-answer.ts";
import { requireProof } from "./proven-session.ts";
import type { DlmsSession } from "./session.ts";

/** An image as a meter takes it. `octets` of [from, to) are asked for as they are sent: an image may be large. */
export interface Image {
  readonly identifier: Uint8Array;
  readonly size: number;
  readonly octets: (from: number, to: number) => Uint8Array;
}

export interface ImageProgress {
  /** Blocks that the meter has, of how many. */
  readonly transferred: number;
  readonly blocks: number;
}

/** How often blocks that the meter misses are sent anew within one session. */
const ROUNDS_MAX = 3;
/** Blocks of one image: the bitmap of more would not be an image of a meter. */
const BLOCKS_MAX = 1 << 20;

function imageTransferOf({ imageTransfer }: DlmsProfile["dlms"]): DlmsImageTransfer {
  if (imageTransfer === undefined)
    throw new SessionError(
      "unsupported",
      "profile.no-image-transfer",
      "the device profile describes no image transfer",
    );
  return imageTransfer;
}

/** An attribute that the procedure cannot do without. */
async function known<T>(session: DlmsSession, obis: string, attribute: Attribute<T>, what: string): Promise<T> {
  const answer = await session.read(attributeOf(ImageTransfer, attribute, obis));
  if (answer.kind === "refused") requireSuccess(what, answer.result);
  if (answer.kind === "value") return answer.value;
  throw new SessionError("protocol", "dlms.no-value", `expected ${what}`);
}

/** Numbers of the blocks that are not set. A bitmap that is shorter than the image misses the rest. */
function* missingIn({ length, octets }: BitString, blocks: number): Generator<number> {
  for (let number = 0; number < blocks; number++)
    if (number >= length || ((octets[number >>> 3] ?? 0) & (0x80 >>> (number & 7))) === 0) yield number;
}

/**
 * Brings an image to a meter, block by block, until the meter's own bitmap shows all of them. `resume`: this image was
 * initiated before; a transfer that the meter still has under way goes on with what is missing, for initiating it anew
 * would clear it. After a lost connection the same call with `resume` goes on. Throws `SessionError` or `LinkError`.
 */
export async function transferImage(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  image: Image,
  { resume, onProgress }: { readonly resume: boolean; readonly onProgress?: (progress: ImageProgress) => void },
): Promise<void> {
  const { obis } = imageTransferOf(profile);
  requireProof(profile);
  const { attributes, methods } = ImageTransfer;
  const blockSize = await known(session, obis, attributes.imageBlockSize, "image_block_size");
  const blocks = Math.ceil(image.size / Math.max(1, blockSize));
  if (blockSize === 0 || blocks === 0 || blocks > BLOCKS_MAX)
    throw new SessionError("unsupported", "dlms.image-size", "the image cannot be cut into blocks of this meter", {
      detail: { size: image.size, blockSize },
    });
  await begin(session, obis, image, blocks, resume);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const bitmap = await known(session, obis, attributes.imageTransferredBlocksStatus, "the blocks that it has");
    const missing = [...missingIn(bitmap, blocks)];
    onProgress?.({ transferred: blocks - missing.length, blocks });
    if (missing.length === 0) return;
    for (const number of missing) {
      const from = number * blockSize;
      const imageBlockValue = image.octets(from, Math.min(image.size, from + blockSize));
      const method = methodOf(ImageTransfer, methods.imageBlockTransfer, obis);
      const { result } = await session.invoke(method, { imageBlockNumber: number, imageBlockValue });
      requireSuccess(`block ${number}`, result);
    }
  }
  const bitmap = await known(session, obis, attributes.imageTransferredBlocksStatus, "the blocks that it has");
  const missing = [...missingIn(bitmap, blocks)].length;
  onProgress?.({ transferred: blocks - missing, blocks });
  if (missing > 0)
    throw new SessionError("refused", "dlms.blocks-missing", "the meter took blocks and does not show them", {
      retry: "later",
      detail: { missing, blocks },
    });
}

/** Enables and initiates, unless the meter still has this transfer under way. */
async function begin(
  session: DlmsSession,
  obis: string,
  { identifier, size }: Image,
  blocks: number,
  resume: boolean,
): Promise<void> {
  const { attributes, methods } = ImageTransfer;
  const enabled = await known(session, obis, attributes.imageTransferEnabled, "image_transfer_enabled");
  if (!enabled)
    requireSuccess(
      "image_transfer_enabled",
      await session.write(attributeOf(ImageTransfer, attributes.imageTransferEnabled, obis), true),
    );
  if (resume) {
    const status = await known(session, obis, attributes.imageTransferStatus, "image_transfer_status");
    if (status === IMAGE_TRANSFER_STATUS["verification-successful"]) return;
    if (status === IMAGE_TRANSFER_STATUS.initiated) {
      const bitmap = await known(session, obis, attributes.imageTransferredBlocksStatus, "the blocks that it has");
      if (bitmap.length === blocks) return;
    }
  }
  const method = methodOf(ImageTransfer, methods.imageTransferInitiate, obis);
  const { result } = await session.invoke(method, { imageIdentifier: identifier, imageSize: size });
  requireSuccess("image_transfer_initiate", result);
}

/** How long a meter may take, ms, and how often it is asked. */
export interface Patience {
  readonly clock: Clock;
  readonly withinMs: number;
  readonly pollMs: number;
}

/** Asks for the status until it is none of `passing`. Throws `SessionError` `timeout` `dlms.image-status`. */
async function settled(session: DlmsSession, obis: string, passing: number, patience: Patience): Promise<number> {
  const { clock, withinMs, pollMs } = patience;
  const deadline = clock.now() + withinMs;
  for (;;) {
    const attribute = ImageTransfer.attributes.imageTransferStatus;
    const status = await known(session, obis, attribute, "image_transfer_status");
    if (status !== passing) return status;
    if (clock.now() + pollMs > deadline)
      throw new SessionError("timeout", "dlms.image-status", "the meter did not finish in time", {
        detail: { status: nameIn(IMAGE_TRANSFER_STATUS, status) },
      });
    await clock.sleep(pollMs);
  }
}

/**
 * Has the meter verify what it got, waits for the end of it, and compares what it would activate with what was sent.
 * Throws `SessionError`: `refused` `dlms.image-not-verified`, `unsafe` `dlms.other-image`.
 */
export async function verifyImage(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  image: Image,
  patience: Patience,
): Promise<void> {
  const { obis } = imageTransferOf(profile);
  requireProof(profile);
  const { attributes, methods } = ImageTransfer;
  const { result } = await session.invoke(methodOf(ImageTransfer, methods.imageVerify, obis), 0);
  // "Temporary failure" says that it is still at it.
  if (result !== ACTION_RESULT["temporary-failure"]) requireSuccess("image_verify", result);
  const status = await settled(session, obis, IMAGE_TRANSFER_STATUS["verification-initiated"], patience);
  if (status !== IMAGE_TRANSFER_STATUS["verification-successful"])
    throw new SessionError("refused", "dlms.image-not-verified", "the meter found the image unfit", {
      detail: { status: nameIn(IMAGE_TRANSFER_STATUS, status) },
    });
  const info = await known(session, obis, attributes.imageToActivateInfo, "image_to_activate_info");
  const same = info.some(
    ({ imageToActivateSize, imageToActivateIdentification }) =>
      imageToActivateSize === image.size && equalOctets(imageToActivateIdentification, image.identifier),
  );
  if (!same)
    throw new SessionError("unsafe", "dlms.other-image", "the meter would activate another image than was sent", {
      detail: { expected: toHex(image.identifier), size: image.size },
    });
}

/**
 * Starts the activation. `accepted`: it is under way, or done; the meter may restart, and a later session asks
 * `imageActivation`. An effect of class `once`: intent first.
 */
export async function activateImage(session: DlmsSession, profile: DlmsProfile["dlms"]): Promise<"accepted"> {
  const { obis } = imageTransferOf(profile);
  requireProof(profile);
  const { result } = await session.invoke(methodOf(ImageTransfer, ImageTransfer.methods.imageActivate, obis), 0);
  if (result !== ACTION_RESULT["temporary-failure"]) requireSuccess("image_activate", result);
  return "accepted";
}

/** What the meter shows of an activation, once it answers again. */
export async function imageActivation(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
): Promise<"under-way" | "successful" | "failed" | "not-begun"> {
  const { obis } = imageTransferOf(profile);
  const attribute = ImageTransfer.attributes.imageTransferStatus;
  switch (await known(session, obis, attribute, "image_transfer_status")) {
    case IMAGE_TRANSFER_STATUS["activation-initiated"]:
      return "under-way";
    case IMAGE_TRANSFER_STATUS["activation-successful"]:
      return "successful";
    case IMAGE_TRANSFER_STATUS["activation-failed"]:
      return "failed";
    default:
      return "not-begun";
  }
}
