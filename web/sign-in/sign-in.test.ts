import { describe, expect, it } from "vitest";
import { routes } from "../../shared/api/routes.ts";
import { ORDER_ROLES } from "../../shared/jobs/orders.ts";
import { holderOf } from "./access-token.ts";
import { mayCall, mayOrder, ORDERING } from "./permissions.ts";
import { returnPath } from "./session.ts";
import { settingsIn } from "./settings.ts";

const tokenOf = (claims: object): string => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

describe("holderOf", () => {
  it("reads name and roles of a Cognito access token", () => {
    const token = tokenOf({ sub: "9f", username: "Zoë", "cognito:groups": ["operator", "something-else"] });
    expect(holderOf(token)).toEqual({ name: "Zoë", roles: ["operator"] });
  });
  it("knows every role that a route asks for", () => {
    const asked = [...new Set(Object.values(routes).flatMap(({ roles }) => (roles === "public" ? [] : [...roles])))];
    expect(new Set(holderOf(tokenOf({ "cognito:groups": asked })).roles)).toEqual(new Set(asked));
  });
  it.each(["", "opaque", "a.b", "a.!!.c", tokenOf([1])])("takes %j for somebody without a role", (token) =>
    expect(holderOf(token).roles).toEqual([]),
  );
});

describe("mayCall", () => {
  it.each([
    { roles: ["operator"], route: "submitJob", may: true },
    { roles: ["administrator"], route: "submitJob", may: false },
    { roles: ["administrator"], route: "listParked", may: true },
    { roles: ["analyst"], route: "replayParked", may: false },
    { roles: ["analyst", "supervisor"], route: "replayParked", may: true },
    { roles: [], route: "listMeters", may: false },
  ] as const)("$roles, $route: $may", ({ roles, route, may }) => expect(mayCall(roles, route)).toBe(may));
});

describe("mayOrder", () => {
  it("is true of the roles that the headend asks for", () => {
    expect(ORDERING).toEqual(ORDER_ROLES);
    expect(mayOrder(["analyst", "supervisor"])).toBe(true);
    expect(mayOrder(["analyst", "administrator", "subscriber"])).toBe(false);
  });
});

describe("returnPath", () => {
  it.each([
    ["/meters/A?day=2026-01-01", "/meters/A?day=2026-01-01"],
    ["//elsewhere.example/", "/"],
    ["/\\elsewhere.example", "/"],
    ["https://elsewhere.example/", "/"],
    ["/callback?code=1", "/"],
    [undefined, "/"],
  ])("%j leads to %s", (state, path) => expect(returnPath(state)).toBe(path));
});

describe("settingsIn", () => {
  const settings = { issuer: "https://issuer.example", clientId: "c", apiBase: "/api", deployment: "d" };
  it("takes what the deployment wrote, and no more", () => {
    expect(settingsIn({ ...settings, other: 1 })).toEqual(settings);
  });
  it("names what is missing", () => {
    expect(() => settingsIn({ ...settings, clientId: undefined })).toThrow("clientId");
    expect(() => settingsIn(null)).toThrow("issuer");
  });
});
