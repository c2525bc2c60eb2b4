import { type Codec, prefixed, sequence } from "../wire/codec.ts";
import { octetString } from "../wire/octet-string.ts";
import { optional } from "./a-xdr.ts";
import type { Data } from "./data.ts";
import { ValueList } from "./set-request.ts";
import { VariableAccessList, type VariableAccessSpecification } from "./variable-access-specification.ts";

export interface InformationReportRequest {
  /** GeneralizedTime: text, or the twelve octets of a date-time, as public peers send it. */
  readonly currentTime: Uint8Array | undefined;
  /** A public peer's form: the length of `currentTime` stands where its presence flag should. */
  readonly unflaggedTime: boolean;
  readonly variableAccessSpecification: readonly VariableAccessSpecification[];
  readonly listOfData: readonly Data[];
}

const time = octetString(32, "a GeneralizedTime");
const flagged = optional(time);
const body = sequence({ variableAccessSpecification: VariableAccessList, listOfData: ValueList });

const fields: Codec<InformationReportRequest> = {
  read: (source) => {
    const unflaggedTime = source.peek() === 0x0c;
    const currentTime = unflaggedTime ? time.read(source) : flagged.read(source);
    return { currentTime, unflaggedTime, ...body.read(source) };
  },
  write: (target, value) => {
    const { currentTime } = value;
    if (value.unflaggedTime && currentTime?.length === 0x0c) time.write(target, currentTime);
    else flagged.write(target, currentTime);
    body.write(target, value);
  },
};

/** IEC 62056-5-3, InformationReportRequest, tag 24: a meter tells attributes by short name; never answered. */
export const InformationReportRequest = prefixed("InformationReportRequest", 0x18, fields);
