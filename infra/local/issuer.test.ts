import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalServer } from "./aws-endpoint.ts";
import { startIssuer } from "./issuer.ts";
import { IssuerDirectory } from "./issuer-directory.ts";
import { JwtAuthorizer } from "./jwt-authorizer.ts";

const CONSOLE = "http://127.0.0.1:4173/";
const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

describe("the issuer", () => {
  const directory = new IssuerDirectory();
  const user = directory.user("operator");
  let server: LocalServer;
  let url: string;
  const problems: string[] = [];

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = await startIssuer({
      url,
      port,
      directory,
      users: [user],
      log: (text) => problems.push(text),
      clients: [
        { id: "analyst", machine: { scopes: ["headrace/analyst"] }, callbackUrls: [], logoutUrls: [] },
        { id: "console", callbackUrls: [CONSOLE], logoutUrls: [CONSOLE] },
      ],
    });
  });
  afterAll(async () => {
    await server.close();
    expect(problems).toEqual([]);
  });

  const machineToken = async (query = "", secret = directory.clientSecret("analyst")) => {
    const authorization = `Basic ${Buffer.from(`analyst:${secret}`).toString("base64")}`;
    const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
    const body = "grant_type=client_credentials";
    const answer = await fetch(`${url}/oauth2/token${query}`, { method: "POST", headers, body });
    return (await answer.json()) as { access_token: string; expires_in: number; error?: string };
  };

  it("gives a machine all its scopes, with the claims of a Cognito access token", async () => {
    const { access_token, expires_in } = await machineToken();
    const claims = decodeJwt(access_token);
    expect(claims).toMatchObject({ iss: url, client_id: "analyst", scope: "headrace/analyst", token_use: "access" });
    expect(claims.aud).toBeUndefined();
    expect(expires_in).toBe(3600);
    expect((await machineToken("", "wrong")).error).toBe("invalid_client");
  });

  it("gives tokens that the authorizer takes for its own clients until they expire", async () => {
    const authorizer = new JwtAuthorizer({ issuer: url, audience: ["analyst"] });
    const { access_token } = await machineToken();
    const header = `Bearer ${access_token}`;
    const verdict = await authorizer.judge(header);
    expect(verdict).toMatchObject({ kind: "accepted", claims: { client_id: "analyst" } });
    const elsewhere = new JwtAuthorizer({ issuer: url, audience: ["console"] });
    expect(await elsewhere.judge(header)).toEqual({ kind: "refused", because: "the token is for another client" });
    const forged = `${access_token.slice(0, -4)}AAAA`;
    expect((await authorizer.judge(forged)).kind).toBe("refused");
    expect((await authorizer.judge(undefined)).kind).toBe("refused");
    const short = await machineToken("?expires_in=1");
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await authorizer.judge(`Bearer ${short.access_token}`)).toEqual({
      kind: "refused",
      because: "the token has expired",
    });
  });

  it("signs a person in by its own page, code and PKCE, and out again", async () => {
    const jar = new Map<string, string>();
    const go = async (address: string, init: RequestInit = {}): Promise<Response> => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await fetch(new URL(address, url), {
        ...init,
        redirect: "manual",
        headers: { ...init.headers, cookie },
      });
      for (const set of answer.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return answer;
    };
    const verifier = randomBytes(32).toString("base64url");
    const authorise = `/oauth2/authorize?${new URLSearchParams({
      client_id: "console",
      redirect_uri: CONSOLE,
      response_type: "code",
      scope: "openid profile",
      state: "s",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    })}`;
    const follow = async (answer: Response): Promise<string> => {
      let location = answer.headers.get("location") ?? "";
      while (!location.startsWith(CONSOLE)) location = (await go(location)).headers.get("location") ?? CONSOLE;
      return location;
    };
    const interaction = (await go(authorise)).headers.get("location") ?? "";
    expect(await (await go(interaction)).text()).toContain("Sign in to Headrace");
    const post = (password: string) =>
      go(interaction, { method: "POST", body: new URLSearchParams({ username: "operator", password }) });
    expect((await post("wrong")).status).toBe(401);
    const back = await follow(await post(user.password));
    const code = new URL(back).searchParams.get("code") ?? "";
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "console",
      redirect_uri: CONSOLE,
      code,
      code_verifier: verifier,
    });
    const answer = await fetch(`${url}/oauth2/token`, {
      method: "POST",
      body,
      headers: { origin: new URL(CONSOLE).origin },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBe("http://127.0.0.1:4173");
    const tokens = (await answer.json()) as Record<"access_token" | "id_token" | "refresh_token", string>;
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      sub: user.id,
      client_id: "console",
      scope: "openid profile",
      "cognito:groups": ["operator"],
      token_use: "access",
    });
    expect(decodeJwt(tokens.id_token)).toMatchObject({ name: "operator", "cognito:groups": ["operator"] });
    expect(tokens.refresh_token).toBeTruthy();

    const out = await go(`/logout?client_id=console&logout_uri=${encodeURIComponent(CONSOLE)}`);
    expect(out.headers.get("location")).toBe(CONSOLE);
    expect((await go(authorise)).headers.get("location")).toContain("/interaction/");
    expect((await go("/logout?client_id=console&logout_uri=http://elsewhere/")).status).toBe(400);
  });
});
