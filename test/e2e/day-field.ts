import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { serveMeter } from "../../infra/local/meter-socket.ts";
import type { DeviceProfile } from "../../shared/metering/profile.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { below, seeded } from "../../shared/ports/random.ts";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import { simulatedDevice, titleOf } from "../simulation/week/simulated-device.ts";
import { weatherAt } from "../simulation/week/week-field.ts";
import { SPOKEN } from "../simulation/week/week-plan.ts";

const SEED = 4711;
/** A connection that is interrupted ends after so many pieces of what the headend sends. */
const INTERRUPTED_AFTER = 1;
const HOUR_MS = 3_600_000;

/** A meter at an address of its own. */
export interface FieldPlace {
  readonly meterId: string;
  readonly profile: DeviceProfile;
  readonly collector: string | undefined;
  readonly port: number;
  /** What hangs there; another one after an exchange. */
  device: AnyMeter;
  /** When a session last came to it and was not disturbed. */
  answeredAt: number;
}

const profileOf = (name: string): DeviceProfile => {
  const found = PROFILES.get(name);
  if (found === undefined) throw new Error(`the catalogue has ${name}`);
  return found;
};

/** Simulated meters of every kind, and what goes wrong on the way to them: lost sessions, dark collectors, an exchange. */
export class DayField {
  readonly places: FieldPlace[] = [];
  readonly sessions = { begun: 0, lost: 0, dark: 0 };
  readonly dark = new Set<string>();
  /** From then on nothing is lost. */
  fairFrom = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  readonly #clientSystemTitle: string;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(clock: Clock, clientSystemTitle: string) {
    this.#clock = clock;
    this.#clientSystemTitle = clientSystemTitle;
  }

  /** So many meters, of the models in turn; the first one's clock is behind by an hour. */
  async listen(meters: number): Promise<void> {
    for (let index = 0; index < meters; index++) {
      const server = createServer({ noDelay: true }, (socket) => this.#accept(place, index, socket));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      this.#servers.push(server);
      const profile = profileOf(SPOKEN[index % SPOKEN.length] ?? "");
      const place: FieldPlace = {
        meterId: `DAY-${String(index + 1).padStart(3, "0")}`,
        profile,
        collector: index % 6 > 3 ? `collector-${(index % 6) - 3}` : undefined,
        port: (server.address() as AddressInfo).port,
        device: this.#device(profile, index),
        answeredAt: 0,
      };
      this.places.push(place);
    }
  }

  #device(profile: DeviceProfile, index: number): AnyMeter {
    return simulatedDevice({
      profile,
      seed: SEED,
      index,
      clientSystemTitle: this.#clientSystemTitle,
      clockOffsetMs: index === 0 ? -HOUR_MS : below(seeded(`drift ${SEED} ${index}`), 8_001) - 4_000,
      now: () => this.#clock.now(),
    });
  }

  /** Another device in the place of one: the same model, with keys and a title of its own. */
  exchange(place: FieldPlace): AnyMeter {
    const next = this.#device(place.profile, 10_000 + this.places.indexOf(place));
    place.device = next;
    return next;
  }

  #accept(place: FieldPlace, index: number, socket: Socket): void {
    const { collector, device } = place;
    this.sessions.begun++;
    socket.on("error", () => socket.destroy());
    if (collector !== undefined && this.dark.has(collector)) {
      this.sessions.dark++;
      socket.resetAndDestroy();
      return;
    }
    const now = this.#clock.now();
    const weather = now >= this.fairFrom ? "fair" : weatherAt(SEED, index, now);
    if (weather !== "fair") this.sessions.lost++;
    if (weather === "unreachable") return void socket.resetAndDestroy();
    if (weather === "silent") {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.resume();
      return;
    }
    if (weather === "fair") place.answeredAt = now;
    serveMeter(device, socket, this.#sockets);
    let pieces = 0;
    if (weather === "interrupted") socket.on("data", () => void (++pieces > INTERRUPTED_AFTER && socket.destroy()));
  }

  /** What an administrator is told of the device in a place. */
  enrolment({ collector, port, profile }: FieldPlace, meterId: string, device: AnyMeter): object {
    return {
      meterId,
      commodity: profile.commodity,
      serial: `DAY26-${meterId}`,
      profile: profile.name,
      systemTitle: titleOf(device),
      routes: [{ kind: "dial", host: "127.0.0.1", port, transport: "tcp" }],
      memberships: { groups: ["field"], ...(collector === undefined ? {} : { collector }) },
      ...(Object.keys(device.plan.enrolled).length === 0 ? {} : { keys: device.plan.enrolled }),
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
