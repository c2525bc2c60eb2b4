import { isRecord, type TableRecord, type TableValue } from "../../c1219/table-layout.ts";
import type { C1222Billing, C1222Register } from "../../metering/c1222-profile.ts";
import type { TimeRange } from "../../metering/operation.ts";
import type { BillingSnapshot, SnapshotKind } from "../../metering/result.ts";
import { tableName } from "../services/table-data.ts";
import type { MeterClock } from "./meter-clock.ts";
import { registerIn } from "./read-registers.ts";
import type { Refusal, TableReader } from "./table-reader.ts";

const REGISTERS_TABLE = 23;
const SELF_READS_TABLE = 26;
const KINDS: Readonly<Record<C1222Billing["tables"][number], SnapshotKind>> = {
  24: "season",
  25: "demand-reset",
  26: "self-read",
};

/** The snapshots in one table: tables 24 and 25 hold one, 26 those that it says are valid. */
function snapshotsIn(table: number, record: TableRecord): readonly TableRecord[] {
  if (table !== SELF_READS_TABLE) return [record];
  const held = (record.SELF_READ ?? []) as readonly TableValue[];
  const valid = record.NBR_VALID_ENTRIES;
  // Fewer than fit have not wrapped round yet; more stand anywhere, and each says when it was taken.
  return held.slice(0, typeof valid === "number" ? valid : 0).filter(isRecord);
}

/**
 * Reads the tables that keep what ended, each with the registers of table 23; snapshots whose time lies in (from, to]. A
 * snapshot without a time (the meter keeps none, or nothing has ended yet) is a refusal. Throws `SessionError`.
 */
export async function readBilling(
  reader: TableReader,
  billing: C1222Billing,
  registers: readonly C1222Register[],
  clock: MeterClock,
  range: TimeRange | undefined,
): Promise<{ readonly snapshots: readonly BillingSnapshot[]; readonly refusals: readonly Refusal[] }> {
  const kept = registers.filter(({ table }) => table === REGISTERS_TABLE);
  const answers = await reader.readRecords(billing.tables);
  const snapshots: BillingSnapshot[] = [];
  const refusals: Refusal[] = [];
  for (const table of billing.tables) {
    const answer = answers.get(table);
    if (answer?.kind !== "record") {
      refusals.push({ item: tableName(table), code: answer?.code ?? "c1222.err" });
      continue;
    }
    for (const ended of snapshotsIn(table, answer.record)) {
      const stamp = ended.END_DATE_TIME;
      const at = typeof stamp === "number" ? clock.placed(stamp)?.instant : undefined;
      const data = ended.REGISTER_DATA;
      if (at === undefined || at <= 0 || data === undefined || !isRecord(data)) {
        refusals.push({ item: tableName(table), code: "c1222.no-time" });
        continue;
      }
      if (range !== undefined && (at <= range.from || at > range.to)) continue;
      snapshots.push({
        kind: KINDS[table],
        at,
        registers: kept.map((register) => registerIn(data, { ...register, table }, clock)),
      });
    }
  }
  return { snapshots: snapshots.sort((left, right) => left.at - right.at), refusals };
}
