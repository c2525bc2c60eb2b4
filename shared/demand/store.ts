import type { MeterId } from "../metering/meter.ts";
import type { DrEvent, Wave } from "./dr-event.ts";
import type { Participation } from "./participation.ts";
import type { DrProgram, Enrolment } from "./program.ts";

/** Programs, enrolments and events as stored. Keys live in `functions/adapters/dynamo-demand.ts`. */
export interface DemandStore {
  /** False: there is one of that id. */
  createProgram(program: DrProgram): Promise<boolean>;
  putProgram(program: DrProgram): Promise<void>;
  program(programId: string): Promise<DrProgram | undefined>;
  programs(): Promise<readonly DrProgram[]>;
  removeProgram(programId: string): Promise<void>;

  putEnrolment(enrolment: Enrolment): Promise<void>;
  enrolment(programId: string, meterId: MeterId): Promise<Enrolment | undefined>;
  enrolments(programId: string): Promise<readonly Enrolment[]>;

  /** False: there is one of that id. */
  createEvent(event: DrEvent): Promise<boolean>;
  /** Conditional on the version that was read; answers what is there then, or undefined on a conflict. */
  writeEvent(was: DrEvent, change: Partial<DrEvent>): Promise<DrEvent | undefined>;
  event(eventId: string): Promise<DrEvent | undefined>;
  /** The newest, newest first. */
  events(limit: number): Promise<readonly DrEvent[]>;
  /** Those that still have something to be done. */
  openEvents(): Promise<readonly DrEvent[]>;
  /** Nothing is to be done any more. */
  closeEvent(eventId: string): Promise<void>;

  /** Replaces the roster; the same again is the same. */
  putRoster(eventId: string, meterIds: readonly MeterId[]): Promise<void>;
  roster(eventId: string): Promise<readonly MeterId[]>;
  /** False: a wave of that number is there. */
  createWave(wave: Wave): Promise<boolean>;
  /** The job that a wave has become. */
  putWave(wave: Wave): Promise<void>;
  waves(eventId: string): Promise<readonly Wave[]>;
  putOptOut(eventId: string, meterId: MeterId, at: number): Promise<void>;
  optOuts(eventId: string): Promise<ReadonlyMap<MeterId, number>>;

  putParticipation(eventId: string, entries: readonly Participation[]): Promise<void>;
  participation(eventId: string): Promise<readonly Participation[]>;
}
