import { valueAt } from "../../c1219/table-layout.ts";
import type { C1222Switch } from "../../metering/c1222-profile.ts";
import type { SwitchState } from "../../metering/result.ts";
import { integerIn } from "./read-registers.ts";
import type { Refusal, TableReader } from "./table-reader.ts";

/** Reads where the switch stands, by the profile's words. */
export async function readSwitch(
  reader: TableReader,
  { state, contact }: C1222Switch,
): Promise<{ readonly switch: SwitchState; readonly refusals: readonly Refusal[] }> {
  const tables = await reader.readRecords([
    ...new Set([state.table, ...(contact === undefined ? [] : [contact.table])]),
  ]);
  const at = ({ table, element }: { readonly table: number; readonly element: string }): number | undefined => {
    const answer = tables.get(table);
    const value = answer?.kind === "record" ? valueAt(answer.record, element) : undefined;
    if (typeof value === "boolean") return value ? 1 : 0;
    const number = integerIn(value);
    return number === undefined ? undefined : Number(number.value) * 10 ** number.exponent;
  };
  const shown = at(state);
  const closed = contact === undefined ? undefined : at(contact);
  const position =
    shown === undefined
      ? "unknown"
      : shown === state.closed
        ? "closed"
        : shown === state.open
          ? "open"
          : shown === state.armed
            ? "armed"
            : "unknown";
  const answer = tables.get(state.table);
  return {
    switch: { position, ...(closed === undefined ? {} : { contactClosed: closed !== 0 }) },
    refusals: answer?.kind === "record" ? [] : [{ item: "switch", code: answer?.code ?? "c1222.err" }],
  };
}
