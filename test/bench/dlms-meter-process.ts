import { createServer, type Socket } from "node:net";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { type MeterConnection, SimulatedMeter } from "../../shared/simulator/meter.ts";
import {
  type C1222MeterPlan,
  type DlmsMeterPlan,
  dlmsPopulation,
  population,
} from "../../shared/simulator/population.ts";

/**
 * The other side of the benchmark, in a process of its own so that its CPU is not counted: secured simulated meters, and
 * a server that answers scripted numbers of octets. Told and telling over the parent's channel.
 */

/** Octets of a request and of its answer, in turn; after the last the first again. */
export type Script = readonly (readonly [request: number, answer: number])[];
export type ToMeters =
  | { readonly kind: "meters"; readonly count: number; readonly clientSystemTitle: string }
  | { readonly kind: "c1222Meters"; readonly count: number; readonly clientSystemTitle: string }
  | { readonly kind: "script"; readonly script: Script };
export type FromMeters =
  | { readonly kind: "meters"; readonly meters: readonly (DlmsMeterPlan & { readonly port: number })[] }
  | { readonly kind: "c1222Meters"; readonly meters: readonly (C1222MeterPlan & { readonly port: number })[] }
  | { readonly kind: "script"; readonly port: number };

const SEED = 1;

function listen(onSocket: (socket: Socket) => void): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      onSocket(socket);
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** Puts a meter behind a port of its own. */
async function behindPort(meter: { connect(): MeterConnection }): Promise<number> {
  return listen((socket) => {
    const connection = meter.connect();
    socket.on("data", (octets) => {
      for (const answer of connection.receive(octets).send) socket.write(answer);
    });
  });
}
const portsOf = (meterId: string) => ({ crypto: nodeCrypto, random: seeded(meterId), now: () => Date.now() });

async function meters(count: number, clientSystemTitle: string): Promise<FromMeters> {
  const plans = dlmsPopulation(nodeCrypto, { meters: count * 2, seed: SEED, faults: {}, clientSystemTitle })
    .filter(({ profile }) => profile.name === "generic-eu")
    .slice(0, count);
  const listening = plans.map(async (plan) => ({
    ...plan,
    port: await behindPort(new SimulatedMeter(plan, SEED, portsOf(plan.meterId))),
  }));
  return { kind: "meters", meters: await Promise.all(listening) };
}

async function c1222Meters(count: number, clientSystemTitle: string): Promise<FromMeters> {
  const options = { meters: count * 2, seed: SEED, faults: {}, clientSystemTitle };
  const plans = population(nodeCrypto, { ...options, protocols: { dlms: 0, c1222: 1 } })
    .filter((plan): plan is C1222MeterPlan => plan.profile.name === "generic-us")
    .slice(0, count);
  const listening = plans.map(async (plan) => ({
    ...plan,
    port: await behindPort(new C1222Meter(plan, SEED, portsOf(plan.meterId))),
  }));
  return { kind: "c1222Meters", meters: await Promise.all(listening) };
}

async function scripted(script: Script): Promise<FromMeters> {
  const answers = script.map(([, answer]) => Buffer.alloc(answer, 0x5a));
  const port = await listen((socket) => {
    let turn = 0;
    let got = 0;
    socket.on("data", (octets) => {
      got += octets.length;
      for (let next = script[turn]; next !== undefined && got >= next[0]; next = script[turn]) {
        got -= next[0];
        socket.write(answers[turn] as Buffer);
        turn = (turn + 1) % script.length;
      }
    });
  });
  return { kind: "script", port };
}

function answerTo(message: ToMeters): Promise<FromMeters> {
  switch (message.kind) {
    case "meters":
      return meters(message.count, message.clientSystemTitle);
    case "c1222Meters":
      return c1222Meters(message.count, message.clientSystemTitle);
    case "script":
      return scripted(message.script);
  }
}

process.on("message", (message: ToMeters) => void answerTo(message).then((told) => process.send?.(told)));
