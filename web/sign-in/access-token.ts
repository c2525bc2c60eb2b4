/** Who a token speaks of, for display and for what the console offers; the API verifies it, the console need not. */
export interface TokenHolder {
  readonly name: string;
  readonly roles: readonly string[];
}

const ROLES = ["operator", "supervisor", "analyst", "administrator", "subscriber"];

const claimsIn = (token: string): Readonly<Record<string, unknown>> => {
  const [, payload] = token.split(".");
  if (payload === undefined) return {};
  try {
    const octets = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(octets));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {}; // opaque token: the API still knows what it is
  }
};

/** Roles are the person's groups, as Cognito's access tokens carry them. */
export function holderOf(token: string): TokenHolder {
  const claims = claimsIn(token);
  const groups = claims["cognito:groups"];
  const names = [claims.username, claims["cognito:username"], claims.sub].filter((name) => typeof name === "string");
  return {
    name: names[0] ?? "signed in",
    roles: Array.isArray(groups) ? ROLES.filter((role) => groups.includes(role)) : [],
  };
}
