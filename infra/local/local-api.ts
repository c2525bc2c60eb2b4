import type { Deployment } from "./deploy.ts";

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Body;
}

/** An answer of the API that local mode cannot go on with. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The deployment's own public API, called as a machine client of a role. */
export interface LocalApi {
  /** Rejects with ApiError for a status of 400 or more. */
  call<Body>(role: string, method: string, path: string, body?: unknown, etag?: string): Promise<ApiAnswer<Body>>;
}

/** Before a token's end at which another is asked for. */
const MARGIN_MS = 60_000;

export function localApi({ addresses, identity }: Deployment): LocalApi {
  const tokens = new Map<string, Promise<{ readonly token: string; readonly until: number }>>();
  const ask = async (role: string) => {
    const client = identity.clients.find((candidate) => candidate.role === role);
    if (client === undefined) throw new ApiError(401, `the template has no machine client with role ${role}`);
    const answer = await fetch(`${addresses.issuer}/oauth2/token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString("base64")}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
    if (!answer.ok) throw new ApiError(answer.status, `token of ${role}: ${await answer.text()}`);
    const { access_token, expires_in } = (await answer.json()) as { access_token: string; expires_in: number };
    return { token: access_token, until: Date.now() + expires_in * 1000 - MARGIN_MS };
  };
  const tokenOf = async (role: string): Promise<string> => {
    const kept = tokens.get(role);
    if (kept !== undefined && (await kept).until > Date.now()) return (await kept).token;
    const asked = ask(role);
    tokens.set(role, asked);
    return (await asked).token;
  };
  return {
    call: async <Body>(role: string, method: string, path: string, body?: unknown, etag?: string) => {
      const answer = await fetch(`${addresses.api}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await tokenOf(role)}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(etag === undefined ? {} : { "if-none-match": etag }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (answer.status >= 400) throw new ApiError(answer.status, `${method} ${path}: ${answer.status} ${text}`);
      const parsed = text === "" ? undefined : JSON.parse(text);
      return { status: answer.status, etag: answer.headers.get("etag") ?? undefined, body: parsed as Body };
    },
  };
}
