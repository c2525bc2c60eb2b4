import type { Measurement } from "../../metering/measurement.ts";
import type { Data } from "../data.ts";
import { DATA_ACCESS_RESULT, nameIn } from "../data-access-result.ts";
import type { LogicalName } from "../logical-name.ts";
import { DemandRegister } from "../objects/demand-register.ts";
import { DisconnectControl } from "../objects/disconnect-control.ts";
import { ExtendedRegister } from "../objects/extended-register.ts";
import type { Attribute } from "../objects/interface-class.ts";
import { MBusClient } from "../objects/m-bus.ts";
import { type CaptureObject, ProfileGeneric } from "../objects/profile-generic.ts";
import { Register } from "../objects/register.ts";
import { any } from "../objects/shape.ts";
import type { DiscoveredObject, Untold } from "./discover-objects.ts";
import type { Answer, DlmsSession } from "./session.ts";

/** What a profile needs to know of an object of each class. */
const WANTED: Readonly<Record<number, readonly Attribute<unknown>[]>> = {
  [Register.classId]: [Register.attributes.scalerUnit as Attribute<unknown>],
  [ExtendedRegister.classId]: [ExtendedRegister.attributes.scalerUnit as Attribute<unknown>],
  [DemandRegister.classId]: [DemandRegister.attributes.scalerUnit as Attribute<unknown>],
  [ProfileGeneric.classId]: [
    ProfileGeneric.attributes.captureObjects as Attribute<unknown>,
    ProfileGeneric.attributes.capturePeriod as Attribute<unknown>,
    ProfileGeneric.attributes.profileEntries as Attribute<unknown>,
  ],
  [DisconnectControl.classId]: [DisconnectControl.attributes.controlMode as Attribute<unknown>],
  [MBusClient.classId]: [
    MBusClient.attributes.capturePeriod as Attribute<unknown>,
    MBusClient.attributes.deviceType as Attribute<unknown>,
  ],
};

/** Attributes of a meter's objects as they were read. */
export class ObjectDetails {
  readonly #values = new Map<string, Data>();
  readonly untold: Untold[] = [];

  take(logicalName: LogicalName, attributeId: number, answer: Answer<unknown>): void {
    if (answer.kind === "value") this.#values.set(`${logicalName} ${attributeId}`, answer.value as Data);
    else {
      const because = `attribute ${attributeId} is refused: ${nameIn(DATA_ACCESS_RESULT, answer.result)}`;
      this.untold.push({ about: logicalName, because });
    }
  }

  /** Undefined: not read, or not what the class says. */
  of<T>(logicalName: LogicalName, { id, shape }: Attribute<T>): T | undefined {
    const data = this.#values.get(`${logicalName} ${id}`);
    return data && shape.read(data);
  }
}

/** What discovery has of a meter. */
export interface Found {
  readonly objects: readonly DiscoveredObject[];
  readonly details: ObjectDetails;
}

/** A register as it was found: what it measures, and the power of ten of its values in the catalogue's unit. */
export interface FoundRegister {
  readonly measurement: Measurement;
  readonly classId: 3 | 4;
  readonly obis: LogicalName;
  readonly scaler: number;
}

/** A column of a profile that holds a register's value whole. */
export const isValue = ({ classId, attributeIndex, dataIndex }: CaptureObject): boolean =>
  (classId === Register.classId || classId === ExtendedRegister.classId) && attributeIndex === 2 && dataIndex === 0;

/** Reads, in as few requests as the association allows, what `draftProfiles` asks of the objects. Throws `SessionError`. */
export async function readDetails(session: DlmsSession, objects: readonly DiscoveredObject[]): Promise<ObjectDetails> {
  const details = new ObjectDetails();
  const asked = objects.flatMap(({ classId, logicalName, attributes }) =>
    (WANTED[classId] ?? [])
      .filter(({ id }) => attributes?.get(id)?.read !== false)
      .map(({ id }) => ({ descriptor: { classId, instanceId: logicalName, attributeId: id }, shape: any })),
  );
  const answers = await session.readAll(asked);
  for (const [index, { descriptor }] of asked.entries())
    details.take(descriptor.instanceId, descriptor.attributeId, answers[index] as Answer<unknown>);
  return details;
}
