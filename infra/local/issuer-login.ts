import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type Provider from "oidc-provider";
import { bodyOf } from "./aws-endpoint.ts";
import type { DemoUser } from "./issuer-directory.ts";

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const page = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 22rem; margin: 4rem auto; padding: 0 1rem; color: #1b2430; background: #fff; }
label { display: block; margin-top: 1rem; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; border: 1px solid #5b6b7d; border-radius: 4px; }
button { margin-top: 1.5rem; padding: .5rem 1.5rem; font: inherit; color: #fff; background: #0b5cad; border: 0; border-radius: 4px; }
[role=alert] { color: #a30f0f; }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>`;

const form = (problem?: string): string =>
  page(
    "Sign in to Headrace",
    `${problem === undefined ? "" : `<p role="alert">${escapeHtml(problem)}</p>`}
<form method="post">
<label>Name <input name="username" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>
<p>A local deployment: its users and passwords stand where it was started.</p>`,
  );

const same = (left: string, right: string): boolean => {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
};

function send(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  response.end(html);
}

/** The issuer's own pages under /interaction/: name and password, and nothing to consent to. */
export async function serveLogin(
  provider: Provider,
  users: readonly DemoUser[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    await provider.interactionDetails(request, response);
    if (request.method !== "POST") return send(response, 200, form());
    const fields = new URLSearchParams((await bodyOf(request, 16_384)).toString());
    const user = users.find(({ name }) => name === fields.get("username")?.trim().toLowerCase());
    if (user === undefined || !same(user.password, fields.get("password") ?? ""))
      return send(response, 401, form("Name or password is wrong."));
    const login = { accountId: user.id, remember: false };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    send(response, 400, page("Sign-in is over", `<p role="alert">${escapeHtml(because)}. Open the console again.</p>`));
  }
}
