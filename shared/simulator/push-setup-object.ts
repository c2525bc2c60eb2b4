import { DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import type { DateTime } from "../dlms/date-time.ts";
import { captureObject } from "../dlms/objects/profile-generic.ts";
import { TRANSPORT_SERVICE, windowElement } from "../dlms/objects/push-setup.ts";
import { arrayOf, date, structure as structureOf, time } from "../dlms/objects/shape.ts";
import { actionResult, type CosemObject, dataResult } from "../dlms/server/cosem-object.ts";
import { fromHex, toHex } from "../ports/octets.ts";
import { enumerated, longUnsigned, name, octetString, structure, unsigned } from "./cosem-data.ts";
import type { PushSchedule } from "./push-schedule.ts";

const A_XDR = 0;
const OBJECTS_MAX = 32;
const DESTINATION_MAX = 128;
const WINDOWS_MAX = 8;
const EXECUTIONS_MAX = 96;
const TRANSPORTS: readonly number[] = [TRANSPORT_SERVICE.tcp, TRANSPORT_SERVICE.udp];
const PUSH_SCRIPTS = "0.0.10.0.108.255";
/** n times, each its own, wildcards allowed. */
const ANY_TIMES = 5;
const objectList = arrayOf(captureObject);
const windowList = arrayOf(windowElement);
const executionTime = arrayOf(structureOf({ time, date }));

const inFull = ({ year, month, dayOfMonth, hour, minute, second }: DateTime): boolean =>
  [year, month, dayOfMonth, hour, minute, second].every((part) => part !== undefined);

/** Push setup, class_id 40 version 0: a client may change what is pushed, where to, and within which windows. */
export const pushSetupObject = (push: PushSchedule): CosemObject => ({
  classId: 40,
  version: 0,
  logicalName: push.push.obis,
  attributes: {
    2: {
      get: () => dataResult(objectList.write(push.settings.objects)),
      set: (value) => {
        const objects = objectList.read(value);
        if (objects === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
        if (objects.length > OBJECTS_MAX) return DATA_ACCESS_RESULT["other-reason"];
        push.set({ objects });
        return DATA_ACCESS_RESULT.success;
      },
    },
    3: {
      get: () => {
        const { transport, destination } = push.settings;
        return dataResult(structure(enumerated(transport), octetString(fromHex(destination)), enumerated(A_XDR)));
      },
      set: (value) => {
        const [transport, destination, message] =
          value.type === "structure" && value.value.length === 3 ? value.value : [];
        if (transport?.type !== "enum" || destination?.type !== "octet-string" || message?.type !== "enum")
          return DATA_ACCESS_RESULT["type-unmatched"];
        const known = TRANSPORTS.includes(transport.value) && message.value === A_XDR;
        if (!known || destination.value.length > DESTINATION_MAX) return DATA_ACCESS_RESULT["other-reason"];
        push.set({ transport: transport.value, destination: toHex(destination.value) });
        return DATA_ACCESS_RESULT.success;
      },
    },
    4: {
      get: () => dataResult(windowList.write(push.settings.windows)),
      set: (value) => {
        const windows = windowList.read(value);
        if (windows === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
        const whole = windows.every(({ startTime, endTime }) => inFull(startTime) && inFull(endTime));
        if (!whole || windows.length > WINDOWS_MAX) return DATA_ACCESS_RESULT["other-reason"];
        push.set({ windows });
        return DATA_ACCESS_RESULT.success;
      },
    },
    5: { get: () => dataResult(longUnsigned(0)) },
    6: { get: () => dataResult(unsigned(0)) },
    7: { get: () => dataResult(longUnsigned(0)) },
  },
  methods: {
    1: (parameters) => {
      if (parameters?.type !== "integer") return actionResult("type-unmatched");
      push.ask();
      return actionResult("success");
    },
  },
});

/** The Single action schedule that runs a Push setup's script, class_id 22; none where the model has none. */
export function pushScheduleObjects(push: PushSchedule, selector: number): readonly CosemObject[] {
  const { schedule } = push.push.setting ?? {};
  if (schedule === undefined) return [];
  return [
    {
      classId: 22,
      version: 0,
      logicalName: schedule,
      attributes: {
        2: { get: () => dataResult(structure(name(PUSH_SCRIPTS), longUnsigned(selector))) },
        3: { get: () => dataResult(enumerated(ANY_TIMES)) },
        4: {
          get: () => dataResult(executionTime.write(push.settings.executions)),
          set: (value) => {
            const executions = executionTime.read(value);
            if (executions === undefined) return DATA_ACCESS_RESULT["type-unmatched"];
            // It pushes at whole minutes, and never each minute.
            const fits = executions.every(
              ({ time: at }) => at.minute !== undefined && at.second === 0 && (at.hundredths ?? 0) === 0,
            );
            if (!fits || executions.length > EXECUTIONS_MAX) return DATA_ACCESS_RESULT["other-reason"];
            push.set({ executions });
            return DATA_ACCESS_RESULT.success;
          },
        },
      },
      methods: {},
    },
  ];
}
