import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import { checkPrice, priceText } from "../../metering/price-message.ts";
import { DataObject } from "../objects/data.ts";
import { attributeOf } from "../objects/interface-class.ts";
import { requireSuccess } from "./action-answer.ts";
import type { TariffParts } from "./program-tariff.ts";
import { requireProof } from "./proven-session.ts";

/** Writes the price to the display's message and reads it back. Answers what the display holds. Throws `SessionError`. */
export async function showPrice(
  { session, profile, now }: TariffParts,
  order: Extract<Operation, { readonly kind: "sendPrice" }>,
): Promise<string> {
  const display = profile.priceDisplay;
  if (display === undefined)
    throw new SessionError(
      "unsupported",
      "profile.no-price-display",
      "the device profile describes no display of prices",
    );
  requireProof(profile);
  const text = priceText(order);
  const value = new TextEncoder().encode(text);
  if (value.length > display.octetsMax)
    throw new SessionError("unsupported", "price.too-long", "the message is longer than the model shows");
  checkPrice(order, now());
  const message = attributeOf(DataObject, DataObject.attributes.value, display.message);
  requireSuccess("its message", await session.write(message, { type: "octet-string", value }));
  const answer = await session.read(message);
  if (answer.kind === "refused") requireSuccess("to show its message", answer.result);
  const data = answer.kind === "value" ? answer.value : undefined;
  if (data?.type !== "octet-string" || new TextDecoder().decode(data.value) !== text)
    throw new SessionError("refused", "price.not-shown", "the meter accepted another message and does not show it");
  return text;
}
