import { createServer } from "node:http";
import Provider, { type Configuration, interactionPolicy, type KoaContextWithOIDC } from "oidc-provider";
import { type LocalServer, listen } from "./aws-endpoint.ts";
import { issuerAdapter } from "./issuer-adapter.ts";
import type { DemoUser, IssuerClient, IssuerDirectory } from "./issuer-directory.ts";
import { serveLogin } from "./issuer-login.ts";

export interface IssuerSettings {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly clients: readonly IssuerClient[];
  readonly users: readonly DemoUser[];
  readonly directory: IssuerDirectory;
  readonly log: (text: string) => void;
}

/** A resource id must be a URI; it makes access tokens JWTs and does not appear in them. */
const API = "urn:headrace:api";
const TOKEN_SECONDS = 3600;
const PERSON_SCOPE = "openid profile";

/** `?expires_in=1` on the token endpoint: a token that runs out soon, for tests of what happens then. */
function lifetime(ctx: KoaContextWithOIDC | undefined): number {
  const asked = Number(ctx?.query.expires_in);
  return Number.isInteger(asked) && asked > 0 && asked < TOKEN_SECONDS ? asked : TOKEN_SECONDS;
}

function configuration({ clients, users, directory }: IssuerSettings): Configuration {
  const machines = new Map(clients.flatMap(({ id, machine }) => (machine === undefined ? [] : [[id, machine.scopes]])));
  const scopes = [...new Set([...machines.values()].flat())];
  const origins = new Set(clients.flatMap(({ callbackUrls }) => callbackUrls.map((url) => new URL(url).origin)));
  const prompts = interactionPolicy.base();
  prompts.remove("consent"); // Cognito asks nobody for consent to the utility's own console
  return {
    adapter: issuerAdapter() as unknown as NonNullable<Configuration["adapter"]>,
    jwks: { keys: [directory.signingKey as never] },
    cookies: { keys: [directory.cookieKey] },
    scopes: ["openid", "profile", ...scopes],
    claims: { openid: ["sub", "cognito:username", "cognito:groups"], profile: ["name", "preferred_username"] },
    conformIdTokenClaims: false,
    responseTypes: ["code"],
    pkce: { required: () => true },
    routes: {
      authorization: "/oauth2/authorize",
      token: "/oauth2/token",
      userinfo: "/oauth2/userInfo",
      jwks: "/.well-known/jwks.json",
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      rpInitiatedLogout: { enabled: false }, // Cognito's own /logout is below
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: [PERSON_SCOPE, ...scopes].join(" "),
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    clients: clients.map(({ id, machine, callbackUrls }) =>
      machine === undefined
        ? {
            client_id: id,
            redirect_uris: [...callbackUrls],
            response_types: ["code"],
            grant_types: ["authorization_code", "refresh_token"],
            token_endpoint_auth_method: "none",
            application_type: "native", // http on the loopback is this kind's; a browser's client would need https
            scope: PERSON_SCOPE,
          }
        : {
            client_id: id,
            client_secret: directory.clientSecret(id),
            redirect_uris: [],
            response_types: [],
            grant_types: ["client_credentials"],
            token_endpoint_auth_method: "client_secret_basic",
            scope: machine.scopes.join(" "),
          },
    ),
    clientBasedCORS: (_ctx, origin) => origins.has(origin),
    interactions: { policy: prompts, url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, id) => {
      const user = users.find((candidate) => candidate.id === id);
      if (user === undefined) return undefined;
      const { name, role } = user;
      return {
        accountId: id,
        claims: () => ({
          sub: id,
          name,
          preferred_username: name,
          "cognito:username": name,
          "cognito:groups": [role],
        }),
      };
    },
    loadExistingGrant: async (ctx) => {
      const { client, session, provider } = ctx.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(PERSON_SCOPE);
      grant.addResourceScope(API, PERSON_SCOPE);
      await grant.save();
      return grant;
    },
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    extraTokenClaims: (_ctx, token) => {
      const user = users.find(({ id }) => "accountId" in token && id === token.accountId);
      return user === undefined ? {} : { "cognito:groups": [user.role], username: user.name };
    },
    ttl: {
      AccessToken: (ctx) => lifetime(ctx),
      ClientCredentials: (ctx) => lifetime(ctx),
      IdToken: TOKEN_SECONDS,
      AuthorizationCode: 60,
      Interaction: 3600,
      Session: 12 * 3600,
      Grant: 24 * 3600,
      RefreshToken: 24 * 3600,
    },
    formats: {
      customizers: {
        // The claims of a Cognito access token: all scopes of a machine that asks for none, `token_use`, no `aud`.
        jwt: (_ctx, token, jwt) => {
          const { payload } = jwt;
          const scope = payload.scope ?? machines.get(String(token.clientId))?.join(" ") ?? PERSON_SCOPE;
          Object.assign(payload, { scope, token_use: "access", version: 2 });
          // The library insists on an audience; what cannot be enumerated is not serialised.
          Object.defineProperty(payload, "aud", { enumerable: false, value: API });
        },
      },
    },
    renderError: (ctx, out) => {
      ctx.type = "text";
      ctx.body = `${out.error}: ${out.error_description ?? ""}\n`;
    },
  };
}

/** Cognito's part: tokens for people and machines, as its access tokens are. Listens on 127.0.0.1. */
export async function startIssuer(settings: IssuerSettings): Promise<LocalServer> {
  const provider = new Provider(settings.url, configuration(settings));
  const logoutUrls = new Map(settings.clients.map(({ id, logoutUrls: urls }) => [id, urls]));
  provider.on("server_error", (_ctx, error) => settings.log(`${error.stack ?? error.message}\n`));
  provider.use(async (ctx, next) => {
    if (ctx.path !== "/logout") return next();
    // Cognito: GET /logout?client_id=…&logout_uri=…
    const target = String(ctx.query.logout_uri ?? "");
    if (logoutUrls.get(String(ctx.query.client_id))?.includes(target) !== true) {
      ctx.status = 400;
      ctx.body = "client_id and logout_uri do not belong together\n";
      return;
    }
    for (const name of ["_session", "_session.sig"]) ctx.cookies.set(name, null, { signed: false });
    ctx.redirect(target);
  });
  const callback = provider.callback();
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/interaction/")) void serveLogin(provider, settings.users, request, response);
    else void callback(request, response);
  });
  return listen(server, settings.port);
}
