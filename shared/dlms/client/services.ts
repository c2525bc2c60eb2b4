import type { ActionResponseWithOptionalData } from "../action-response.ts";
import type { CosemAttributeDescriptorWithSelection } from "../cosem-attribute-descriptor.ts";
import type { GetDataResult } from "../get-data-result.ts";
import { actionWithList, type MethodCall } from "./action-with-list.ts";
import type { Exchange } from "./exchange.ts";
import { getWithList } from "./get.ts";
import { type AttributeValue, setWithList } from "./set-with-list.ts";

/**
 * Reads, writes and calls as an association names its objects. Each takes a list and gives one answer for each part, in
 * order, in as few requests as the association allows. Refusals by the meter are answers; they throw `SessionError`.
 */
export interface Services {
  read(items: readonly CosemAttributeDescriptorWithSelection[]): Promise<readonly GetDataResult[]>;
  /** A Data-Access-Result for each. */
  write(items: readonly AttributeValue[]): Promise<readonly number[]>;
  invoke(calls: readonly MethodCall[]): Promise<readonly ActionResponseWithOptionalData[]>;
}

/** GET, SET and ACTION. */
export const byLogicalName = (exchange: Exchange): Services => ({
  read: (items) => getWithList(exchange, items),
  write: (items) => setWithList(exchange, items),
  invoke: (calls) => actionWithList(exchange, calls),
});
