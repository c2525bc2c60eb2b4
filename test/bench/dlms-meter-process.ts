import { createServer, type Socket } from "node:net";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { type DlmsMeterPlan, dlmsPopulation } from "../../shared/simulator/population.ts";

/**
 * The other side of the benchmark, in a process of its own so that its CPU is not counted: secured simulated meters, and
 * a server that answers scripted numbers of octets. Told and telling over the parent's channel.
 */

/** Octets of a request and of its answer, in turn; after the last the first again. */
export type Script = readonly (readonly [request: number, answer: number])[];
export type ToMeters =
  | { readonly kind: "meters"; readonly count: number; readonly clientSystemTitle: string }
  | { readonly kind: "script"; readonly script: Script };
export type FromMeters =
  | { readonly kind: "meters"; readonly meters: readonly (DlmsMeterPlan & { readonly port: number })[] }
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

async function meters(count: number, clientSystemTitle: string): Promise<FromMeters> {
  const plans = dlmsPopulation(nodeCrypto, { meters: count * 2, seed: SEED, faults: {}, clientSystemTitle })
    .filter(({ profile }) => profile.name === "generic-eu")
    .slice(0, count);
  const listening = plans.map(async (plan) => {
    const ports = { crypto: nodeCrypto, random: seeded(plan.meterId), now: () => Date.now() };
    const meter = new SimulatedMeter(plan, SEED, ports);
    const port = await listen((socket) => {
      const connection = meter.connect();
      socket.on("data", (octets) => {
        for (const answer of connection.receive(octets).send) socket.write(answer);
      });
    });
    return { ...plan, port };
  });
  return { kind: "meters", meters: await Promise.all(listening) };
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

process.on("message", (message: ToMeters) => {
  const answer =
    message.kind === "meters" ? meters(message.count, message.clientSystemTitle) : scripted(message.script);
  void answer.then((told) => process.send?.(told));
});
