import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What `npm start -- --json` prints when all is up (design: the stable surface). */
export interface StartLine {
  readonly console: string;
  readonly api: string;
  readonly issuer: string;
  readonly users: readonly { readonly name: string; readonly password: string; readonly role: string }[];
  readonly clients: readonly { readonly id: string; readonly secret: string; readonly role: string }[];
  readonly bridges: readonly { readonly pid: number }[];
  readonly dataDir: string;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** What the API says of a job. */
export interface JobView {
  readonly jobId: string;
  readonly state: string;
  readonly progress: Readonly<Record<"open" | "done" | "failed" | "expired" | "cancelled", number>> & {
    readonly reasons: Readonly<Record<string, number>>;
  };
}

/** RFC 9457 problem details, as every refusal of the API. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly errors?: readonly { readonly field: string; readonly expected: string }[];
}

const ROOT = join(import.meta.dirname, "../..");
const START = ["--import", join(ROOT, "infra/local/node-check.mjs"), join(ROOT, "infra/local/start.ts")];

const portFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** A base with a few free ports above it, below those that Linux gives to outgoing connections (from 32768). */
export async function freeBase(): Promise<number> {
  for (let base = 20_000 + Math.floor(Math.random() * 100) * 100; base < 32_000; base += 100) {
    const free = await Promise.all([0, 1, 2, 3, 4].map((offset) => portFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error("no free ports between 20000 and 32000");
}

/** A child that is running `npm start`'s own entry, with its output kept. */
function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...START, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: [] as string[], stderr: "" };
  createInterface({ input: child.stdout }).on("line", (line) => output.stdout.push(line));
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return { child, output, ended };
}

export interface OnceRun {
  readonly code: number | null;
  readonly summary: {
    readonly meters: number;
    readonly tasks: {
      readonly done: number;
      readonly failed: number;
      readonly expired: number;
      readonly cancelled: number;
    };
    readonly reasons: Readonly<Record<string, number>>;
    readonly readings: number;
    readonly verified: number;
    readonly elapsedMs: number;
  };
  readonly stderr: string;
}

/** `npm start -- --once --json …`, to its end. */
export async function runOnce(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<OnceRun> {
  const run = launch(["--once", "--json", "--port", String(await freeBase()), ...args], env);
  const code = await run.ended;
  const last = run.output.stdout.at(-1);
  if (last === undefined) throw new Error(`no output; exit ${code}\n${run.output.stderr.slice(-4000)}`);
  return { code, summary: JSON.parse(last), stderr: run.output.stderr };
}

export class Deployment {
  readonly info: StartLine;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #output: { stdout: string[]; stderr: string };
  readonly #tokens = new Map<string, string>();

  private constructor(info: StartLine, run: ReturnType<typeof launch>) {
    this.info = info;
    this.#child = run.child;
    this.#ended = run.ended;
    this.#output = run.output;
  }

  /** Stands a deployment up and resolves when it says that all is up. */
  static async start(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Deployment> {
    const base = args.includes("--port") ? [] : ["--port", String(await freeBase())];
    const run = launch(["--json", ...base, ...args], env);
    const until = Date.now() + 170_000;
    while (run.output.stdout.length === 0) {
      const code = await Promise.race([
        run.ended,
        new Promise<"up">((resolve) => setTimeout(() => resolve("up"), 100)),
      ]);
      if (code !== "up") throw new Error(`start ended with ${code}\n${run.output.stderr.slice(-4000)}`);
      if (Date.now() <= until) continue;
      run.child.kill("SIGKILL"); // nobody else would end it
      throw new Error(`not up within three minutes\n${run.output.stderr.slice(-4000)}`);
    }
    return new Deployment(JSON.parse(run.output.stdout[0] ?? "") as StartLine, run);
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A token of the machine client with that role. */
  async token(role: string, expiresIn?: number): Promise<string> {
    const kept = expiresIn === undefined ? this.#tokens.get(role) : undefined;
    if (kept !== undefined) return kept;
    const client = this.info.clients.find((candidate) => candidate.role === role);
    if (client === undefined) throw new Error(`no client with role ${role}`);
    const found = await fetch(`${this.info.issuer}/.well-known/openid-configuration`);
    const { token_endpoint } = (await found.json()) as { token_endpoint: string };
    const answer = await fetch(expiresIn === undefined ? token_endpoint : `${token_endpoint}?expires_in=${expiresIn}`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}`,
      },
      body: "grant_type=client_credentials",
    });
    if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`);
    const { access_token } = (await answer.json()) as { access_token: string };
    if (expiresIn === undefined) this.#tokens.set(role, access_token);
    return access_token;
  }

  async call<Body>(role: string | undefined, method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    const headers: Record<string, string> = {};
    if (role !== undefined) headers.authorization = `Bearer ${await this.token(role)}`;
    return this.request<Body>(method, path, headers, body === undefined ? undefined : JSON.stringify(body));
  }

  async request<Body>(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Answer<Body>> {
    const answer = await fetch(`${this.info.api}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const json = answer.headers.get("content-type")?.includes("json") === true;
    return {
      status: answer.status,
      headers: answer.headers,
      body: (json && text !== "" ? JSON.parse(text) : text) as Body,
    };
  }

  /** Submits a job as an operator and waits for its end. */
  async runJob(request: Record<string, unknown>, timeoutMs = 120_000): Promise<JobView> {
    const accepted = await this.call<JobView>("operator", "POST", "/jobs", request);
    if (accepted.status !== 202) throw new Error(`POST /jobs: ${accepted.status} ${JSON.stringify(accepted.body)}`);
    return this.jobEnd(accepted.body.jobId, timeoutMs);
  }

  async jobEnd(jobId: string, timeoutMs = 120_000): Promise<JobView> {
    return until(timeoutMs, `job ${jobId} to end`, async () => {
      const { body } = await this.call<JobView>("operator", "GET", `/jobs/${jobId}`);
      return body.state === "closed" ? body : undefined;
    });
  }

  /** SIGTERM and the exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#child.kill(signal);
    return this.#ended;
  }
}

/** Polls until the probe answers something, or fails saying what it waited for. */
export async function until<T>(timeoutMs: number, what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
