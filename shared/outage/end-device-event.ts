import type { Outage, OutageState } from "./outage.ts";

/** EndDeviceEventType of a loss of supply and of its end (IEC 61968-9; codes as in the catalogue of events). */
const LOST = "3.26.0.47";
const BACK = "3.26.0.216";
const OVER: ReadonlySet<OutageState> = new Set(["restored", "withdrawn"]);

const REASON: Readonly<Record<OutageState, string>> = {
  suspected: "outage suspected",
  confirmed: "outage detected",
  restoring: "outage changed: some meters are back",
  restored: "outage restored",
  withdrawn: "outage withdrawn: it was none",
  merged: "outage changed: it is part of a larger one",
};

/** An outage in one of its states as an EndDeviceEvent: one for all its meters, which are its Assets. Instants are clock ms. */
export function endDeviceEventOf(outage: Outage, eventId: string) {
  const { state, endedAt, restoredAt, mergedInto, within } = outage;
  const details: readonly (readonly [string, string | undefined])[] = [
    ["outageId", outage.outageId],
    ["feeder", outage.feeder],
    ["node", outage.node],
    ["nodeKind", outage.kind],
    ["startedAt", new Date(outage.startedAt).toISOString()],
    ["firstRestoredAt", restoredAt === undefined ? undefined : new Date(restoredAt).toISOString()],
    ["confidence", String(outage.confidence)],
    ["meters", String(outage.evidence.meters)],
    ["lastGasps", String(outage.evidence.gasped)],
    ["mergedInto", mergedInto],
    ["within", within],
  ];
  const over = OVER.has(state);
  return {
    mRID: eventId,
    createdDateTime: over ? (endedAt ?? outage.changedAt) : outage.startedAt,
    issuerID: "headrace",
    issuerTrackingID: outage.outageId,
    reason: REASON[state],
    severity: over ? ("info" as const) : ("alarm" as const),
    Assets: outage.meterIds.map((mRID) => ({ mRID })),
    EndDeviceEventDetails: details.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
    EndDeviceEventType: { ref: over ? BACK : LOST },
    status: { value: state, dateTime: outage.changedAt },
  };
}
