import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";

/** Runs one conditional write: false when its condition did not hold; everything else is thrown. */
export async function heldCondition(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
