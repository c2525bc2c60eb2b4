import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { tcpDial } from "../../functions/bridge/tcp-dial.ts";
import { discoverObjects } from "../../shared/dlms/client/discover-objects.ts";
import { access, contextOf, profileOf } from "../../shared/dlms/client/loopback-fixture.ts";
import { openSession } from "../../shared/dlms/client/open-session.ts";
import { type Answer, type DlmsSession, written } from "../../shared/dlms/client/session.ts";
import type { Data } from "../../shared/dlms/data.ts";
import { AssociationLn, CURRENT_ASSOCIATION } from "../../shared/dlms/objects/association-ln.ts";
import { DataObject } from "../../shared/dlms/objects/data.ts";
import { attributeOf } from "../../shared/dlms/objects/interface-class.ts";
import { byClass } from "../../shared/dlms/selective-access.ts";
import { fromHex, toHex } from "../../shared/ports/octets.ts";
import { javaEnvironment } from "./java-environment.ts";
import { authenticationKey, CLIENT_TITLE, ECHO, LONG_NOTE, NOTE, OTHER_NOTE, SECRET, unicastKey } from "./own-meter.ts";

/** Our client reads a meter whose server side is jDLMS's own: associations, lists, blocks, methods. */

const environment = await javaEnvironment((line) => process.stderr.write(`${line}\n`));
if (environment.kind === "absent") process.stderr.write(`skipped: ${environment.reason}\n`);

const closings: (() => void)[] = [];
afterEach(() => {
  for (const close of closings.splice(0)) close();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts the meter; answers its port and its title. */
async function jdlmsMeter(framing: string): Promise<{ readonly port: number; readonly title: string }> {
  if (environment.kind === "absent") throw new Error(environment.reason);
  const port = await freePort();
  const args = [String(port), CLIENT_TITLE, unicastKey(0), authenticationKey(0), SECRET, framing];
  const child = spawn("java", [...environment.program("JdlmsMeter"), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  closings.push(() => void child.stdin.end());
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { port, title: line.replace("listening ", "") };
}

type Access = ReturnType<typeof access>;

async function opened(part: Partial<Access>): Promise<DlmsSession> {
  const { port, title } = await jdlmsMeter("wrapper");
  const route = { kind: "dial", host: "127.0.0.1", port, transport: "tcp" } as const;
  const link = await tcpDial(systemClock)(route, systemClock.now() + 5_000);
  closings.push(() => void link.close());
  const keys = { unicast: unicastKey(0), authentication: authenticationKey(0), llsSecret: SECRET };
  const profile = profileOf({ access: access(part) });
  const known = { clock: systemClock, systemTitle: title, responseTimeoutMs: 10_000 };
  return openSession(contextOf(link, { profile, keys, ...known }));
}

const note = (name: string) => attributeOf(DataObject, DataObject.attributes.value, name);
const octets = (hex: string): Data => ({ type: "octet-string", value: fromHex(hex) });
/** What an answer holds: octets in hex, or the refusal's number. */
const held = (answer: Answer<unknown> | undefined): string | number | undefined => {
  if (answer?.kind !== "value") return answer?.result;
  const data = answer.value as Data;
  return data.type === "octet-string" ? toHex(data.value) : data.type;
};
const COUNTED = Array.from({ length: 900 }, (_, at) => (at & 0xff).toString(16).padStart(2, "0")).join("");

describe.skipIf(environment.kind === "absent")("a meter built on jDLMS", { timeout: 60_000 }, () => {
  it("gives its object list whole and by class, with versions and rights", async () => {
    const session = await opened({ authentication: "none", ciphering: "none", clientSap: 16 });
    const { objects, untold } = await discoverObjects(session, "logical-name");
    expect(untold).toEqual([]);
    expect(objects.map(({ classId, version, logicalName }) => [classId, version, logicalName])).toEqual(
      expect.arrayContaining([
        [15, 1, "0.0.40.0.0.255"],
        [1, 0, NOTE],
        [9, 0, ECHO],
        [64, 0, "0.0.43.0.0.255"],
      ]),
    );
    const association = objects.find(({ classId }) => classId === 15);
    expect(association?.attributes?.get(2)).toEqual({ read: true, write: false, selectors: [1, 2, 3, 4] });
    expect(association?.attributes?.get(7)?.write).toBe(true);
    expect(objects.find(({ logicalName }) => logicalName === ECHO)?.methods).toEqual(new Set([1]));
    const list = attributeOf(AssociationLn, AssociationLn.attributes.objectList, CURRENT_ASSOCIATION);
    const some = await session.read(list, byClass([9]));
    expect(some.kind === "value" && some.value.map(({ logicalName }) => logicalName)).toEqual([ECHO]);
    await session.release();
  });

  it.each<readonly [string, Partial<Access>]>([
    ["without security", { clientSap: 16, authentication: "none", ciphering: "none" }],
    ["by HLS-GMAC in suite 0", { clientSap: 1, maxPduSize: 300 }],
  ])("is read, written and called %s", async (_, part) => {
    const session = await opened(part);
    expect(held(await session.read(note(NOTE)))).toBe("0001020304");
    expect(await session.write(note(NOTE), octets("a1b2"))).toBe(0);
    expect(held(await session.read(note(NOTE)))).toBe("a1b2");
    expect(held(await session.read(note(LONG_NOTE)))).toBe(COUNTED);
    const writes = [written(note(NOTE), octets("c3")), written(note(OTHER_NOTE), octets("d4"))];
    expect(await session.writeAll(writes)).toEqual([0, 0]);
    const answers = await session.readAll([note(NOTE), note(OTHER_NOTE), note("0.0.96.13.9.255")]);
    expect(answers.map(held)).toEqual(["c3", "d4", 4]);
    const execute = { descriptor: { classId: 9, instanceId: ECHO, methodId: 1 } } as const;
    const shape = note(NOTE).shape;
    const { result, returnParameters } = await session.invoke({ ...execute, parameter: shape }, octets("beef"));
    const returned = returnParameters?.kind === "data" ? returnParameters.data : undefined;
    expect([result, held(returned && { kind: "value", value: returned })]).toEqual([0, "beef"]);
    await session.release();
  });
});
