import { valueAt } from "../../c1219/table-layout.ts";
import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { identityText, type MeterIdentity } from "../../metering/identity.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { TableAnswer, TableReader } from "./table-reader.ts";

/** GENERAL_MFG_ID_TBL. */
const MANUFACTURER_TABLE = 1;

/** Tables that tell firmware and program, as far as the meter has the one and the device profile names the other. */
export function identityTables(reader: TableReader, { tariff }: C1222Profile["c1222"]): readonly number[] {
  const used = reader.known(0)?.STD_TBLS_USED;
  const isUsed = Array.isArray(used) && used.includes(MANUFACTURER_TABLE);
  return [...(isUsed ? [MANUFACTURER_TABLE] : []), ...(tariff === undefined ? [] : [tariff.active])];
}

/** What the tables say; what is refused, or fits no layout, is left out. */
export function identityOf(
  reader: TableReader,
  tables: readonly number[],
  answers: readonly TableAnswer[],
): MeterIdentity {
  const found: { -readonly [Fact in keyof MeterIdentity]: MeterIdentity[Fact] } = {};
  for (const [index, table] of tables.entries()) {
    const answer = answers[index];
    if (answer?.kind !== "octets") continue;
    try {
      const record = reader.interpret(table, answer.octets);
      if (table === MANUFACTURER_TABLE) {
        const version = [valueAt(record, "FW_VERSION_NUMBER"), valueAt(record, "FW_REVISION_NUMBER")];
        if (version.every((part) => typeof part === "number")) found.firmware = version.join(".");
      } else {
        const name = valueAt(record, "CAL_NAME");
        const text = typeof name === "string" ? identityText(new TextEncoder().encode(name)) : undefined;
        if (text !== undefined) found.program = text;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error; // a reading is worth more than what the meter says of itself
    }
  }
  return found;
}
