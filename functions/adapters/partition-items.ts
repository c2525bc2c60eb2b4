import { type DynamoDBDocumentClient, paginateQuery } from "@aws-sdk/lib-dynamodb";

/** Which items of a partition, by their sort keys; default all of them. */
export interface ItemRange {
  /** Included. */
  readonly from?: string | undefined;
  /** Included; only with `from`. */
  readonly to?: string | undefined;
  /** Excluded. */
  readonly after?: string | undefined;
  readonly begins?: string | undefined;
  readonly newestFirst?: boolean | undefined;
}

/** Every item of a partition in the order of its sort keys, strongly consistent, page by page. */
export async function* partitionItems(
  db: DynamoDBDocumentClient,
  TableName: string,
  pk: string,
  { from, to, after, begins, newestFirst }: ItemRange = {},
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const values = { ":from": from, ":to": to, ":after": after, ":begins": begins };
  const range =
    from !== undefined && to !== undefined
      ? " AND sk BETWEEN :from AND :to"
      : from !== undefined
        ? " AND sk >= :from"
        : after !== undefined
          ? " AND sk > :after"
          : begins !== undefined
            ? " AND begins_with(sk, :begins)"
            : "";
  const pages = paginateQuery(
    { client: db },
    {
      TableName,
      KeyConditionExpression: `pk = :pk${range}`,
      ExpressionAttributeValues: {
        ":pk": pk,
        ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
      },
      ConsistentRead: true,
      ...(newestFirst === true ? { ScanIndexForward: false } : {}),
    },
  );
  for await (const { Items = [] } of pages) yield* Items;
}
