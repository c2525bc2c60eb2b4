import { createHash, randomBytes } from "node:crypto";
import type { Deployment } from "./deployment.ts";

/** A token of a person, by the local issuer's own page, code and PKCE, as the console gets it. */
export async function personToken({ info }: Deployment, name: string): Promise<string> {
  const user = info.users.find((one) => one.name === name);
  if (user === undefined) throw new Error(`the deployment has no user ${name}`);
  const jar = new Map<string, string>();
  const go = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join("; ");
    const answer = await fetch(new URL(address, info.issuer), {
      ...init,
      redirect: "manual",
      headers: { ...init.headers, cookie },
    });
    for (const set of answer.headers.getSetCookie()) {
      const [, key = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === "") jar.delete(key);
      else jar.set(key, value);
    }
    return answer;
  };
  const { client, redirect } = await consoleClient(info.console);
  const verifier = randomBytes(32).toString("base64url");
  const authorise = `/oauth2/authorize?${new URLSearchParams({
    client_id: client,
    redirect_uri: redirect,
    response_type: "code",
    scope: "openid profile",
    state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  })}`;
  const interaction = (await go(authorise)).headers.get("location") ?? "";
  const form = new URLSearchParams({ username: user.name, password: user.password });
  let location = (await go(interaction, { method: "POST", body: form })).headers.get("location") ?? "";
  for (let hops = 0; !location.startsWith(redirect); hops++) {
    if (location === "" || hops > 10) throw new Error(`signing ${name} in ended at ${location || "no address"}`);
    location = (await go(location)).headers.get("location") ?? "";
  }
  const answer = await fetch(new URL("/oauth2/token", info.issuer), {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: client,
      redirect_uri: redirect,
      code: new URL(location).searchParams.get("code") ?? "",
      code_verifier: verifier,
    }),
    headers: { origin: new URL(redirect).origin },
  });
  if (!answer.ok) throw new Error(`token of ${name}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** As the console itself learns it. */
async function consoleClient(address: string): Promise<{ readonly client: string; readonly redirect: string }> {
  const answer = await fetch(new URL("/config.json", address));
  const config = (await answer.json()) as Readonly<Record<string, string>>;
  return { client: config.clientId ?? "", redirect: new URL("/callback", address).href };
}
