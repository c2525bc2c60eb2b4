import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";

export interface AuthorizerSettings {
  readonly issuer: string;
  /** Ids of the clients whose tokens are taken. */
  readonly audience: readonly string[];
}

export type Verdict =
  | { readonly kind: "accepted"; readonly claims: Readonly<Record<string, string>> }
  | { readonly kind: "refused"; readonly because: string };

/** API Gateway hands every claim on as text: numbers in digits, a list as `[a b]`. */
const asText = (claims: JWTPayload): Record<string, string> =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      Array.isArray(value) ? `[${value.join(" ")}]` : String(value),
    ]),
  );

/** The JWT authorizer of an HTTP API: signature, issuer, time, and `aud` or, where there is none, `client_id`. */
export class JwtAuthorizer {
  readonly #settings: AuthorizerSettings;
  #keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(settings: AuthorizerSettings) {
    this.#settings = settings;
  }

  /** `header`: the value of the request's Authorization header. Rejects when the issuer cannot be asked for its keys. */
  async judge(header: string | undefined): Promise<Verdict> {
    const refused = (because: string): Verdict => ({ kind: "refused", because });
    const token = /^(?:Bearer )?([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header?.trim() ?? "")?.[1];
    if (token === undefined) return refused("the request carries no bearer token");
    try {
      this.#keys ??= this.#discover();
      const { payload } = await jwtVerify(token, await this.#keys, { issuer: this.#settings.issuer });
      const audiences = payload.aud === undefined ? [payload.client_id] : [payload.aud].flat();
      if (!audiences.some((audience) => this.#settings.audience.includes(String(audience))))
        return refused("the token is for another client");
      return { kind: "accepted", claims: asText(payload) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refused("the token has expired");
      if (error instanceof errors.JWTClaimValidationFailed)
        return refused(`the token's ${error.claim} is not as expected`);
      if (error instanceof errors.JOSEError) return refused("the token is malformed or its signature does not verify");
      this.#keys = undefined;
      throw error;
    }
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const answer = await fetch(`${this.#settings.issuer}/.well-known/openid-configuration`);
    const { jwks_uri } = (await answer.json()) as { jwks_uri: string };
    return createRemoteJWKSet(new URL(jwks_uri));
  }
}
