import { type Aare, ACSE_SERVICE_PROVIDER, ACSE_SERVICE_USER, ASSOCIATION_RESULT } from "../../shared/dlms/aare.ts";
import type { Aarq } from "../../shared/dlms/aarq.ts";
import { APPLICATION_CONTEXT, MECHANISM } from "../../shared/dlms/acse.ts";
import type { Apdu } from "../../shared/dlms/apdu.ts";
import {
  CONFIRMED_SERVICE,
  SERVICE_ERROR_CATEGORY,
  serviceErrorCodes,
} from "../../shared/dlms/confirmed-service-error.ts";
import { servicesOf } from "../../shared/dlms/conformance.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT, nameIn } from "../../shared/dlms/data-access-result.ts";
import { SERVICE_ERROR, STATE_ERROR } from "../../shared/dlms/exception-response.ts";
import { invokeIdOf, isConfirmed, isHighPriority } from "../../shared/dlms/invoke-id.ts";
import { LONG_INVOKE, longInvokeIdOf } from "../../shared/dlms/long-invoke-id.ts";
import { RELEASE_REQUEST_REASON, RELEASE_RESPONSE_REASON } from "../../shared/dlms/release.ts";
import { type Json, type JsonObject, json } from "./json.ts";

type Names = Readonly<Record<string, number>>;

/** The number, and beside it its name: for one enumeration or a list of them. */
function named(members: Record<string, Json>, field: string, names: Names): void {
  const value = members[field];
  if (typeof value === "number") members[`${field}Name`] = nameIn(names, value);
  if (Array.isArray(value))
    members[`${field}Name`] = value.map((each) => (typeof each === "number" ? nameIn(names, each) : null));
}

/** `dataAccessResult` wherever it stands, with its name. */
function nameResults(value: Json): Json {
  if (Array.isArray(value)) return value.map(nameResults);
  if (typeof value !== "object" || value === null || "type" in value) return value;
  const members: Record<string, Json> = {};
  for (const [name, member] of Object.entries(value)) members[name] = nameResults(member);
  named(members, "dataAccessResult", DATA_ACCESS_RESULT);
  return members;
}

/** An alternative of an inner CHOICE by its name: its one component, or an object of several. */
function byChoice(value: { readonly kind: string }): JsonObject {
  const members = json(value) as Record<string, Json>;
  if (!Object.hasOwn(members, value.kind)) return { [value.kind]: members };
  if (Object.keys(members).length > 1) return { [value.kind]: members };
  named(members, "dataAccessError", DATA_ACCESS_RESULT);
  return members;
}

const identifier = (arc: 1 | 2, id: number): string => `2.16.756.5.8.${arc}.${id}`;

function acseNames(members: Record<string, Json>, value: Aarq | Aare): void {
  members.applicationContextName = identifier(1, value.applicationContextName);
  members.contextId = value.applicationContextName;
  named(members, "contextId", APPLICATION_CONTEXT);
  if (value.mechanismName === undefined) return;
  members.mechanismName = identifier(2, value.mechanismName);
  members.mechanismId = value.mechanismName;
  named(members, "mechanismId", MECHANISM);
}

function conformance(members: Record<string, Json>, field: string): void {
  const bits = members[field];
  if (typeof bits !== "number") return;
  members[field] = bits.toString(16).padStart(6, "0");
  members[`${field}Name`] = servicesOf(bits);
}

function invoke(members: Record<string, Json>): void {
  const { invokeIdAndPriority: short, longInvokeIdAndPriority: long } = members;
  if (typeof short === "number") {
    members.invokeId = invokeIdOf(short);
    members.serviceClass = isConfirmed(short) ? 1 : 0;
    members.priority = isHighPriority(short) ? 1 : 0;
  } else if (typeof long === "number") {
    members.invokeId = longInvokeIdOf(long);
    members.serviceClass = (long & LONG_INVOKE.confirmed) !== 0 ? 1 : 0;
    members.priority = (long & LONG_INVOKE.highPriority) !== 0 ? 1 : 0;
  } else return;
  named(members, "serviceClass", { unconfirmed: 0, confirmed: 1 });
  named(members, "priority", { normal: 0, high: 1 });
}

/** Names that belong to one APDU. */
function specific(members: Record<string, Json>, apdu: Apdu): void {
  switch (apdu.name) {
    case "AARQ":
      acseNames(members, apdu.value);
      return;
    case "AARE": {
      acseNames(members, apdu.value);
      named(members, "result", ASSOCIATION_RESULT);
      const { kind, value } = apdu.value.resultSourceDiagnostic;
      const names = kind === "acseServiceUser" ? ACSE_SERVICE_USER : ACSE_SERVICE_PROVIDER;
      members.resultSourceDiagnostic = { [kind]: value, [`${kind}Name`]: nameIn(names, value) };
      return;
    }
    case "RLRQ":
      named(members, "reason", RELEASE_REQUEST_REASON);
      return;
    case "RLRE":
      named(members, "reason", RELEASE_RESPONSE_REASON);
      return;
    case "InitiateRequest":
      conformance(members, "proposedConformance");
      return;
    case "InitiateResponse":
      conformance(members, "negotiatedConformance");
      return;
    case "ExceptionResponse":
      named(members, "stateError", STATE_ERROR);
      named(members, "serviceError", SERVICE_ERROR);
      return;
    case "ConfirmedServiceError":
      named(members, "confirmedServiceError", CONFIRMED_SERVICE);
      named(members, "serviceError", SERVICE_ERROR_CATEGORY);
      if (typeof members.serviceError === "number") named(members, "value", serviceErrorCodes(members.serviceError));
      return;
    case "ReadRequest":
    case "WriteRequest":
    case "UnconfirmedWriteRequest":
    case "InformationReportRequest":
      members.variableAccessSpecification = apdu.value.variableAccessSpecification.map(byChoice);
      if (members.unflaggedTime === false) delete members.unflaggedTime;
      return;
    case "ReadResponse":
    case "WriteResponse":
      members.result = apdu.value.result.map((each) => (each.kind === "success" ? { success: null } : byChoice(each)));
      return;
    case "SetResponse":
      named(members, "result", DATA_ACCESS_RESULT);
      return;
    case "ActionResponse":
      for (const response of [members.singleResponse, members.listOfResponses].flat())
        if (typeof response === "object" && response !== null)
          named(response as Record<string, Json>, "result", ACTION_RESULT);
      return;
    case "AccessResponse":
      for (const [index, each] of apdu.value.accessResponseSpecification.entries()) {
        const names = each.kind === "action" ? ACTION_RESULT : DATA_ACCESS_RESULT;
        const list = members.accessResponseSpecification as Json[];
        list[index] = { [each.kind]: each.result, [`${each.kind}Name`]: nameIn(names, each.result) };
      }
      return;
    case "AccessRequest":
      members.accessRequestSpecification = apdu.value.accessRequestSpecification.map((each) => ({
        [each.kind]: json(each),
      }));
      return;
  }
}

/** getRequestNormal, getResponseWithDatablock…: the ASN.1 name of the alternative. */
const alternative = (name: string, kind: string): string =>
  name.charAt(0).toLowerCase() + name.slice(1) + kind.charAt(0).toUpperCase() + kind.slice(1);

/** One APDU in clear as a layer: names of the ASN.1 production in camelCase, enumerations with a `…Name` beside them. */
export function apduJson(apdu: Apdu): JsonObject {
  const members = nameResults(json(apdu.value)) as Record<string, Json>;
  if (apdu.name === "DataNotification" && members.taggedDateTime === false) delete members.taggedDateTime;
  invoke(members);
  specific(members, apdu);
  const choice = "kind" in apdu.value ? { choice: alternative(apdu.name, apdu.value.kind) } : {};
  return { layer: "apdu", name: apdu.name, ...choice, ...members };
}
