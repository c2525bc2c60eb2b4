import { MEASUREMENTS, type Measurement } from "../../metering/measurement.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { TypeOf } from "../../wire/codec.ts";
import type { Data } from "../data.ts";
import type { EventNotificationRequest } from "../event-notification-request.ts";
import type { InformationReportRequest } from "../information-report-request.ts";
import type { CaptureObject } from "../objects/profile-generic.ts";
import { scalerUnit } from "../objects/register.ts";
import { obis } from "../objects/shape.ts";
import { unitExponent } from "../objects/unit.ts";
import { attributeName } from "../short-name.ts";
import { integerIn } from "./integer-value.ts";

/** What is known of the values that a meter pushes. */
export interface PushMeaning {
  /** push_object_list of its Push setup. */
  readonly objects?: readonly CaptureObject[];
  /** Where it has several: the one that fits, by its length and by the Push setup's own name where it is in it. */
  readonly lists?: readonly (readonly CaptureObject[])[];
  readonly profile?: DlmsProfile;
}

/** One pushed value. Without an attribute nobody has said whose it is. */
export interface PushedValue {
  readonly attribute?: { readonly classId: number; readonly logicalName: string; readonly attributeId: number };
  /** Of an InformationReport, where the device profile does not fix base names. */
  readonly shortName?: number;
  readonly measurement?: Measurement;
  readonly data: Data;
  /** `value × 10^scaler` of the measurement's unit; absent: the push and the device profile don't say both. */
  readonly number?: { readonly value: bigint; readonly scaler: number };
}
type Attribute = NonNullable<PushedValue["attribute"]>;
type ScalerUnit = NonNullable<ReturnType<typeof scalerUnit.read>>;

/** Values of a Data-Notification: by the push object list where the two fit, else as the body itself names them. */
export function notificationValues(body: Data, meaning: PushMeaning): readonly PushedValue[] {
  const members = body.type === "structure" || body.type === "array" ? body.value : [body];
  const objects = meaning.objects ?? meaning.lists?.find((list) => fits(list, members));
  if (objects !== undefined && objects.length === members.length) {
    const attributes = objects.map(({ classId, logicalName, attributeIndex, dataIndex }) =>
      dataIndex === 0 ? { classId, logicalName, attributeId: attributeIndex } : undefined,
    );
    const shown = (logicalName: string): ScalerUnit | undefined => {
      const at = attributes.findIndex((each) => each?.logicalName === logicalName && each.attributeId === 3);
      const found = at < 0 ? undefined : members[at];
      return found && scalerUnit.read(found);
    };
    return members.map((data, index) => {
      const attribute = attributes[index];
      return attribute === undefined ? { data } : meant(attribute, data, shown(attribute.logicalName), meaning);
    });
  }
  return members.map((member) => selfNamed(member, meaning) ?? { data: member });
}

const PUSH_SETUP = 40;
const fits = (list: readonly CaptureObject[], members: readonly Data[]): boolean =>
  list.length === members.length &&
  list.every(({ classId, attributeIndex, logicalName }, index) => {
    const member = members[index];
    return classId !== PUSH_SETUP || attributeIndex !== 1 || (member && obis.read(member)) === logicalName;
  });

/** `structure { logical name, value [, scaler and unit] }`, as some meters push each value. */
function selfNamed(member: Data, meaning: PushMeaning): PushedValue | undefined {
  if (member.type !== "structure" || member.value.length < 2 || member.value.length > 3) return undefined;
  const [name, data, more] = member.value;
  const logicalName = name && obis.read(name);
  const register = meaning.profile?.dlms.registers.find((each) => each.obis === logicalName);
  if (logicalName === undefined || data === undefined) return undefined;
  const attribute = { classId: register?.classId ?? 0, logicalName, attributeId: 2 };
  return meant(attribute, data, more && scalerUnit.read(more), meaning);
}

export const eventValues = (
  { cosemAttributeDescriptor, attributeValue }: EventNotificationRequest,
  meaning: PushMeaning,
): readonly PushedValue[] => {
  const { classId, instanceId: logicalName, attributeId } = cosemAttributeDescriptor;
  return [meant({ classId, logicalName, attributeId }, attributeValue, undefined, meaning)];
};

/** Values of an InformationReport: by the base names that the device profile fixes. */
export const reportValues = (
  { variableAccessSpecification, listOfData }: TypeOf<typeof InformationReportRequest>,
  meaning: PushMeaning,
): readonly PushedValue[] =>
  listOfData.map((data, index) => {
    const specification = variableAccessSpecification[index];
    if (specification?.kind !== "variableName") return { data };
    const { variableName: shortName } = specification;
    const attribute = namedBy(shortName, meaning.profile);
    return attribute === undefined ? { shortName, data } : { shortName, ...meant(attribute, data, undefined, meaning) };
  });

function namedBy(shortName: number, profile: DlmsProfile | undefined): Attribute | undefined {
  const bases = [...(profile?.dlms.baseNames ?? [])].sort((left, right) => right.baseName - left.baseName);
  const object = bases.find(({ baseName }) => baseName <= shortName);
  if (object === undefined) return undefined;
  const { classId, obis: logicalName, baseName } = object;
  const attributeId = (shortName - baseName) / 8 + 1;
  return attributeName(baseName, object, attributeId) === shortName ? { classId, logicalName, attributeId } : undefined;
}

/** The value in the words of the device profile, as far as they go. A class of 0: the message does not say it. */
function meant(attribute: Attribute, data: Data, shown: ScalerUnit | undefined, { profile }: PushMeaning): PushedValue {
  const register = profile?.dlms.registers.find(
    ({ classId, obis: name }) => name === attribute.logicalName && (attribute.classId || classId) === classId,
  );
  if (register === undefined || attribute.attributeId !== 2) return { attribute, data };
  const { measurement } = register;
  const exponent = shown === undefined ? 0 : unitExponent(MEASUREMENTS[measurement].unit, shown.unit);
  if (exponent === undefined) return { attribute, data };
  const scaler = register.scaler ?? (shown && shown.scaler + exponent);
  const found = integerIn(data);
  if (scaler === undefined || found === undefined) return { attribute, measurement, data };
  return { attribute, measurement, data, number: { value: found.value, scaler: scaler + found.exponent } };
}
