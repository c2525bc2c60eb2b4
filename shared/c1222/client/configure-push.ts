import { type TableRecord, type TableValue, valueAt, writeTable } from "../../c1219/table-layout.ts";
import type { C1222Profile, C1222PushSetting } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { PushState } from "../../metering/push-setting.ts";
import type { OperationResult } from "../../metering/result.ts";
import { OK, responseName } from "../response-code.ts";
import { integerIn } from "./read-registers.ts";
import type { TableReader } from "./table-reader.ts";

type ConfigurePush = Extract<Operation, { readonly kind: "configurePush" }>;

/** Throws `SessionError` `unsupported` for what the model does not push, or not so. */
function settingOf({ pushes = [] }: C1222Profile["c1222"], operation: ConfigurePush): C1222PushSetting {
  const { content, every, destination } = operation;
  const setting = pushes.find((push) => push.content === content);
  if (setting === undefined)
    throw new SessionError("unsupported", "profile.no-push-setting", `the device profile has no push of ${content}`);
  if (every !== undefined && setting.period?.periods.includes(every) !== true)
    throw new SessionError(
      "unsupported",
      "profile.push-period",
      `expected a period that the model can push ${content} at`,
      { detail: { every, periods: setting.period?.periods } },
    );
  if (destination !== undefined)
    throw new SessionError(
      "unsupported",
      "c1222.push-destination",
      "expected no destination: a node pushes to the notification host that it is registered with",
    );
  return setting;
}

/**
 * Sets one push by the table of the manufacturer that the device profile names: reads it, writes it whole where it differs,
 * reads it back. Throws `SessionError`.
 */
export async function configurePush(
  reader: TableReader,
  profile: C1222Profile["c1222"],
  operation: ConfigurePush,
): Promise<NonNullable<OperationResult["pushSet"]>> {
  const setting = settingOf(profile, operation);
  if (profile.access.security === "clear")
    throw new SessionError("unsafe", "c1222.unproved-session", "expected messages that the meter's own key secures");
  const { table, enabled, period } = setting;
  const read = async (): Promise<TableRecord> => {
    const answer = (await reader.readRecords([table])).get(table);
    if (answer?.kind === "record") return answer.record;
    throw new SessionError("refused", answer?.code ?? "c1222.err", "the meter refused to show how it pushes");
  };
  const numberAt = (record: TableRecord, element: string): number | undefined => {
    const found = integerIn(valueAt(record, element));
    return found === undefined ? undefined : Number(found.value) * 10 ** found.exponent;
  };
  const stateOf = (record: TableRecord): PushState => {
    const units = period && numberAt(record, period.element);
    return {
      enabled: (numberAt(record, enabled) ?? 0) !== 0,
      ...(units === undefined || period === undefined ? {} : { every: units * period.unitSeconds }),
      destination: profile.access.callingApTitle,
    };
  };

  const shown = await read();
  const before = stateOf(shown);
  const wanted: PushState = { ...before, enabled: operation.enabled, every: operation.every ?? before.every };
  const same = (state: PushState): boolean => state.enabled === wanted.enabled && state.every === wanted.every;
  if (same(before)) return { before, after: before };
  const change: Record<string, TableValue> = { [enabled]: operation.enabled ? 1 : 0 };
  if (period !== undefined && operation.every !== undefined)
    change[period.element] = operation.every / period.unitSeconds;
  const data = writeTable(reader.layout(table).fields, reader.context, { ...shown, ...change });
  const [answer] = await reader.ask([{ service: "fullWrite", tableId: table, data }], ["how it pushes"]);
  if (answer?.code !== OK)
    throw new SessionError(
      "refused",
      answer === undefined ? "c1222.err" : `c1222.${responseName(answer.code)}`,
      "the meter refused to push otherwise",
    );
  const after = stateOf(await read());
  if (!same(after))
    throw new SessionError("refused", "c1222.push-not-set", "the meter accepted another push and does not show it", {
      detail: { ...after },
    });
  return { before, after };
}
