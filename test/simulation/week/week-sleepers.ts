import { pushBatcher } from "../../../shared/bridge/push-batcher.ts";
import { type Uplinks, uplinks } from "../../../shared/bridge/uplinks.ts";
import { c1222Sleepers } from "../../../shared/c1222/client/sleeper-protocol.ts";
import type { Batches } from "../../../shared/jobs/batches.ts";
import { JobId } from "../../../shared/jobs/job.ts";
import { type Mailboxes, memoryMailboxes } from "../../../shared/jobs/mailbox.ts";
import { PROFILES } from "../../../shared/metering/profiles/catalogue.ts";
import { nodeCrypto } from "../../../shared/ports/node-crypto.ts";
import { chance } from "../../../shared/ports/random.ts";
import { Unavailable } from "../effects.ts";
import { simulatedAccess } from "../simulated-access.ts";
import type { SimulatedProcess } from "../simulated-process.ts";
import type { World } from "../world-ports.ts";
import { ProtocolMeter } from "./protocol-meter.ts";
import { type WeekField, weatherAt } from "./week-field.ts";
import type { WeekPlan } from "./week-plan.ts";

/** The queue brings one of so many uplinks twice. */
const TWICE_SHARE = 0.05;
/** And again so long after its function failed. */
const AGAIN_MS = 60_000;
/** A module listens for so long, ms; its mail is there within a part of that. */
const MAIL_MS = 3_000;
const NO_JOB = JobId.parse("0".repeat(26));

/** Modules that sleep, the broker that they wake to, and a bridge task that hears them. */
export class WeekSleepers {
  readonly mailboxes: Mailboxes = memoryMailboxes();
  /** Wakes, those that the network lost, and mails that were answered. */
  readonly wakes = { all: 0, lost: 0, answered: 0 };
  readonly #world: World;
  readonly #plan: WeekPlan;
  readonly #process: SimulatedProcess;
  readonly #uplinks: Uplinks;
  readonly #mail: { readonly thing: string; readonly octets: Uint8Array }[] = [];

  constructor(world: World, plan: WeekPlan, field: WeekField, batches: Batches) {
    this.#world = world;
    this.#plan = plan;
    this.#process = world.process("uplinks");
    const { clock } = this.#process;
    const queue = {
      send: async (body: string): Promise<void> => {
        const { job = NO_JOB, segment, part = 0 } = JSON.parse(body);
        world.results.send(body, { jobId: job, segment, part });
      },
    };
    const results = { queue, batches };
    this.#uplinks = uplinks({
      clock,
      sessionClock: clock,
      crypto: nodeCrypto,
      access: simulatedAccess(world, this.#process),
      activeEpoch: async () => world.epoch,
      registry: {
        claims: async (names) =>
          names.map(({ value }) => {
            const found = field.meters.find(({ title }) => title === value);
            return found && { meterId: found.meterId, at: found.from };
          }),
        meters: async (meterIds) =>
          new Map(
            meterIds.flatMap((meterId) => {
              const found = field.meters.find((meter) => meter.meterId === meterId);
              return found === undefined ? [] : [[meterId, { state: "enrolled", place: found.place } as never]];
            }),
          ),
      },
      profiles: async (name) => PROFILES.get(name),
      vault: { open: async ({ meterId }) => field.meters.find((meter) => meter.meterId === meterId)?.keys ?? {} },
      ledger: world.ledger.of(this.#process),
      mailboxes: this.mailboxes,
      protocols: [c1222Sleepers],
      results,
      pushes: pushBatcher({ ...results, clock, bridgeId: "uplinks-pushes" }),
      send: async (thing, octets) => void this.#mail.push({ thing, octets }),
      bridgeId: "uplinks",
    });
    for (const meter of field.meters) if (meter instanceof ProtocolMeter) this.#wakes(meter);
  }

  /** A module wakes as often as its device profile says, each at an instant of its own. */
  #wakes(meter: ProtocolMeter): void {
    const { time } = this.#world;
    const { profile, port } = meter;
    if (meter.sleeper === undefined || profile.protocol !== "c1222") return;
    const everyMs = (profile.c1222.sleep?.wakesEvery ?? 86_400) * 1000;
    const wake = (): void => {
      void this.#wake(meter);
      time.after(everyMs, wake);
    };
    time.at(this.#plan.start + ((port * 421_000) % everyMs), wake);
  }

  /** It says what it has to say, hears what lies in its mailbox and answers. */
  async #wake(meter: ProtocolMeter): Promise<void> {
    const { thing, sleeper, port } = meter;
    if (sleeper === undefined || thing === undefined) return;
    this.wakes.all++;
    if (weatherAt(this.#plan.seed, port, this.#world.time.now) !== "fair") {
      this.wakes.lost++;
      return;
    }
    sleeper.heldAwake = true;
    const pushes = sleeper.pushes();
    meter.heard();
    for (const octets of pushes) await this.#say(thing, octets);
    await this.#process.later(MAIL_MS);
    const mine = this.#mail.filter((mail) => mail.thing === thing);
    for (const mail of mine) this.#mail.splice(this.#mail.indexOf(mail), 1);
    for (const { octets } of mine)
      for (const answer of sleeper.connect().receive(octets).send) {
        meter.heard();
        this.wakes.answered++;
        await this.#say(thing, answer);
      }
    sleeper.heldAwake = false;
  }

  async #say(thing: string, octets: Uint8Array): Promise<void> {
    const { time, random, violations } = this.#world;
    const payload = Buffer.from(octets).toString("base64");
    const body = JSON.stringify({ payload, thing, at: time.now });
    for (let times = chance(random, TWICE_SHARE) ? 2 : 1; times > 0; times--) {
      const end = await this.#received(body);
      // The second of two of the same answer finds its mail gone.
      if (
        end.kind === "malformed" ||
        (end.kind === "refused" && end.code !== "uplink.no-such-mail" && end.code !== "uplink.job-ended")
      )
        violations.first ??= `${thing}: ${JSON.stringify(end)}`;
    }
  }

  /** The queue brings an uplink again whose function could not reach a table. */
  async #received(body: string): ReturnType<Uplinks["receive"]> {
    for (;;)
      try {
        return await this.#uplinks.receive(body);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await this.#process.later(AGAIN_MS);
      }
  }
}
