import type { DlmsPush } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { Operation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { PUSH_PERIODS, type PushDestination, type PushState } from "../../metering/push-setting.ts";
import type { OperationResult } from "../../metering/result.ts";
import type { CosemDate, CosemTime, DateTime } from "../date-time.ts";
import { attributeOf, type ReadableAttribute } from "../objects/interface-class.ts";
import { PUSH_MESSAGE, PushSetupV0, TRANSPORT_SERVICE } from "../objects/push-setup.ts";
import { SingleActionSchedule } from "../objects/single-action-schedule.ts";
import { requireSuccess } from "./action-answer.ts";
import { requireProof } from "./proven-session.ts";
import { pushList } from "./push-content.ts";
import { type Answer, type AttributeWrite, type DlmsSession, written } from "./session.ts";

type ConfigurePush = Extract<Operation, { readonly kind: "configurePush" }>;
type Execution = { readonly time: CosemTime; readonly date: CosemDate };
type Window = { readonly startTime: DateTime; readonly endTime: DateTime };

const ANY_DATE: CosemDate = { year: undefined, month: undefined, dayOfMonth: undefined, dayOfWeek: undefined };
const HOUR_S = 3600;

/** The moments of a day that are whole periods from midnight; within the hour, of every hour. */
export function executionTimes(period: number): readonly Execution[] {
  const at = (hour: number | undefined, minute: number): Execution => ({
    time: { hour, minute, second: 0, hundredths: 0 },
    date: ANY_DATE,
  });
  return period <= HOUR_S
    ? Array.from({ length: HOUR_S / period }, (_, number) => at(undefined, (number * period) / 60))
    : Array.from({ length: (24 * HOUR_S) / period }, (_, number) => at((number * period) / HOUR_S, 0));
}

const midnightOf = (year: number): DateTime => ({
  year,
  month: 1,
  dayOfMonth: 1,
  dayOfWeek: undefined,
  hour: 0,
  minute: 0,
  second: 0,
  hundredths: 0,
  deviation: undefined,
  clockStatus: undefined,
});
/** Outside its windows a setup pushes nothing; without any it always may. So one that is over says: never. */
const NEVER_SINCE = 2001;
const NEVER: readonly Window[] = [{ startTime: midnightOf(NEVER_SINCE - 1), endTime: midnightOf(NEVER_SINCE) }];
const isNever = (windows: readonly Window[]): boolean =>
  windows.length > 0 && windows.every(({ endTime: { year } }) => year !== undefined && year <= NEVER_SINCE);

interface Shown {
  readonly objects: ReturnType<typeof pushList>;
  readonly destination: {
    readonly transportService: number;
    readonly destination: Uint8Array;
    readonly message: number;
  };
  readonly windows: readonly Window[];
  readonly executions: readonly Execution[] | undefined;
}

const same = (left: unknown, right: unknown): boolean => comparable(left) === comparable(right);
const comparable = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (one instanceof Uint8Array ? [...one] : one === undefined ? null : one));

function known<T>(what: string, answer: Answer<unknown> | undefined): T {
  if (answer?.kind === "value") return answer.value as T;
  requireSuccess(`to show its ${what}`, answer?.result ?? 250);
  throw new SessionError("protocol", "dlms.push-setup", `expected the meter to show its ${what}`);
}

const stateOf = ({ destination, windows, executions }: Shown): PushState => {
  const every = PUSH_PERIODS.find((period) => executions !== undefined && same(executionTimes(period), executions));
  const [transport] = Object.entries(TRANSPORT_SERVICE).find(([, one]) => one === destination.transportService) ?? [];
  const text = new TextDecoder().decode(destination.destination.subarray(0, 120));
  return {
    enabled: !isNever(windows),
    ...(every === undefined ? {} : { every }),
    ...(text === "" ? {} : { destination: `${transport ?? destination.transportService} ${text}` }),
  };
};

/** The Push setup that is asked for, as the device profile has it. Throws `SessionError` `unsupported`. */
function setupOf({ pushes = [] }: DlmsProfile["dlms"], { content, every }: ConfigurePush): DlmsPush {
  const push = pushes.find(({ setting }) => setting?.content === content);
  if (push?.setting === undefined)
    throw new SessionError("unsupported", "profile.no-push-setting", `the device profile has no push of ${content}`);
  const { periods } = push.setting;
  if (every !== undefined && !(periods ?? []).includes(every))
    throw new SessionError(
      "unsupported",
      "profile.push-period",
      `expected a period that the model can push ${content} at`,
      {
        detail: { every, periods },
      },
    );
  return push;
}

/**
 * Sets one Push setup and its Single action schedule to what is asked: reads, writes what differs, reads back. A push is
 * switched off before anything else of it changes, and on after everything has. `destination`: where, if the operation
 * names nothing. Throws `SessionError`.
 */
export async function configurePush(
  session: Pick<DlmsSession, "readAll" | "writeAll">,
  profile: DlmsProfile["dlms"],
  operation: ConfigurePush,
  destination: PushDestination | undefined,
): Promise<NonNullable<OperationResult["pushSet"]>> {
  const push = setupOf(profile, operation);
  requireProof(profile);
  const schedule = push.setting?.schedule;
  const where = operation.destination ?? destination;
  if (where === undefined)
    throw new SessionError(
      "unsupported",
      "push.no-destination",
      "expected a destination: this deployment lets no meter call in",
    );

  const { attributes } = PushSetupV0;
  const objects = attributeOf(PushSetupV0, attributes.pushObjectList, push.obis);
  const to = attributeOf(PushSetupV0, attributes.sendDestinationAndMethod, push.obis);
  const windows = attributeOf(PushSetupV0, attributes.communicationWindow, push.obis);
  const executions =
    schedule === undefined
      ? undefined
      : attributeOf(SingleActionSchedule, SingleActionSchedule.attributes.executionTime, schedule);
  const read = async (): Promise<Shown> => {
    const asked: ReadableAttribute[] = [objects, to, windows, ...(executions === undefined ? [] : [executions])];
    const answers = await session.readAll(asked);
    return {
      objects: known("list of objects", answers[0]),
      destination: known("destination", answers[1]),
      windows: known("windows", answers[2]),
      executions: executions && known("schedule", answers[3]),
    };
  };

  const before = await read();
  const wanted: Shown = {
    objects: pushList(push),
    destination: {
      transportService: TRANSPORT_SERVICE[where.transport ?? "tcp"],
      destination: new TextEncoder().encode(`${where.host}:${where.port}`),
      message: PUSH_MESSAGE["a-xdr-encoded-xdlms-apdu"],
    },
    windows: operation.enabled === !isNever(before.windows) ? before.windows : operation.enabled ? [] : NEVER,
    executions: operation.every === undefined ? before.executions : executionTimes(operation.every),
  };
  const opening: [string, AttributeWrite][] = same(before.windows, wanted.windows)
    ? []
    : [["its windows", written(windows, wanted.windows)]];
  const rest: [string, AttributeWrite][] = [
    ...(same(before.objects, wanted.objects) ? [] : [["its objects", written(objects, wanted.objects)] as const]),
    ...(same(before.destination, wanted.destination)
      ? []
      : [["its destination", written(to, wanted.destination)] as const]),
    ...(executions === undefined || same(before.executions, wanted.executions)
      ? []
      : [["its schedule", written(executions, wanted.executions ?? [])] as const]),
  ].map(([what, write]) => [what, write]);
  for (const [what, write] of operation.enabled ? [...rest, ...opening] : [...opening, ...rest]) {
    const [result] = await session.writeAll([write]);
    requireSuccess(what, result ?? 250);
  }
  if (opening.length + rest.length === 0) return { before: stateOf(before), after: stateOf(before) };
  const after = await read();
  if (!same({ ...after, windows: isNever(after.windows) }, { ...wanted, windows: isNever(wanted.windows) }))
    throw new SessionError("refused", "dlms.push-not-set", "the meter accepted another push and does not show it", {
      detail: { ...stateOf(after) },
    });
  return { before: stateOf(before), after: stateOf(after) };
}
