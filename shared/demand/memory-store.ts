import type { MeterId } from "../metering/meter.ts";
import type { DrEvent, Wave } from "./dr-event.ts";
import type { Participation } from "./participation.ts";
import type { DrProgram, Enrolment } from "./program.ts";
import type { DemandStore } from "./store.ts";

/** Programs and events in memory, with the same conditions as the real ones. */
export function memoryDemand(): DemandStore {
  const programs = new Map<string, DrProgram>();
  const enrolments = new Map<string, Enrolment>();
  const events = new Map<string, DrEvent>();
  const open = new Set<string>();
  const rosters = new Map<string, readonly MeterId[]>();
  const waves = new Map<string, Wave>();
  const optOuts = new Map<string, Map<MeterId, number>>();
  const shares = new Map<string, Map<MeterId, Participation>>();
  const sorted = <T>(all: Iterable<T>, key: (one: T) => string): T[] =>
    [...all].sort((left, right) => (key(left) < key(right) ? -1 : 1));
  return {
    async createProgram(program) {
      if (programs.has(program.programId)) return false;
      programs.set(program.programId, program);
      return true;
    },
    putProgram: async (program) => void programs.set(program.programId, program),
    program: async (programId) => programs.get(programId),
    programs: async () => sorted(programs.values(), ({ programId }) => programId),
    removeProgram: async (programId) => void programs.delete(programId),
    putEnrolment: async (enrolment) => void enrolments.set(`${enrolment.programId} ${enrolment.meterId}`, enrolment),
    enrolment: async (programId, meterId) => enrolments.get(`${programId} ${meterId}`),
    enrolments: async (programId) =>
      sorted(
        [...enrolments.values()].filter((one) => one.programId === programId),
        ({ meterId }) => meterId,
      ),
    async createEvent(event) {
      if (events.has(event.eventId)) return false;
      events.set(event.eventId, event);
      open.add(event.eventId);
      return true;
    },
    async writeEvent(was, change) {
      if (events.get(was.eventId)?.version !== was.version) return undefined;
      const next = { ...was, ...change, version: was.version + 1 };
      events.set(was.eventId, next);
      return next;
    },
    event: async (eventId) => events.get(eventId),
    events: async (limit) =>
      sorted(events.values(), ({ eventId }) => eventId)
        .reverse()
        .slice(0, limit),
    openEvents: async () => [...open].sort().flatMap((id) => events.get(id) ?? []),
    closeEvent: async (eventId) => void open.delete(eventId),
    putRoster: async (eventId, meterIds) => void rosters.set(eventId, [...meterIds]),
    roster: async (eventId) => rosters.get(eventId) ?? [],
    async createWave(wave) {
      const key = `${wave.eventId} ${wave.number}`;
      if (waves.has(key)) return false;
      waves.set(key, wave);
      return true;
    },
    putWave: async (wave) => void waves.set(`${wave.eventId} ${wave.number}`, wave),
    waves: async (eventId) =>
      [...waves.values()].filter((one) => one.eventId === eventId).sort((left, right) => left.number - right.number),
    async putOptOut(eventId, meterId, at) {
      const known = optOuts.get(eventId) ?? new Map<MeterId, number>();
      optOuts.set(eventId, new Map([[meterId, at], ...known]));
    },
    optOuts: async (eventId) => optOuts.get(eventId) ?? new Map(),
    async putParticipation(eventId, entries) {
      const known = shares.get(eventId) ?? new Map<MeterId, Participation>();
      for (const entry of entries) known.set(entry.meterId, entry);
      shares.set(eventId, known);
    },
    participation: async (eventId) => sorted((shares.get(eventId) ?? new Map()).values(), ({ meterId }) => meterId),
  };
}
