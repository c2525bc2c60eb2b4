import { describe, expect, it } from "vitest";
import { type Claims, callerOf } from "./caller.ts";

const rolesOf = (claims: Claims): readonly string[] | string => {
  const outcome = callerOf(claims);
  return outcome.kind === "caller" ? outcome.caller.roles : outcome.expected;
};
const machine = { token_use: "access", client_id: "mdm", sub: "mdm" };
const person = { token_use: "access", client_id: "console", sub: "7f3a", username: "ada" };

describe("who calls", () => {
  it.each([
    ["a machine by its scopes", { ...machine, scope: "headrace/operator headrace/analyst" }, ["operator", "analyst"]],
    ["a machine without sub", { token_use: "access", client_id: "mdm", scope: "headrace/subscriber" }, ["subscriber"]],
    ["a machine's groups count nothing", { ...machine, "cognito:groups": ["operator"], scope: "" }, []],
    ["a person by groups as a list", { ...person, "cognito:groups": ["operator", "analyst"] }, ["operator", "analyst"]],
    ["a person by groups as one text", { ...person, "cognito:groups": "[operator analyst]" }, ["operator", "analyst"]],
    ["a person's scopes count nothing", { ...person, scope: "headrace/administrator" }, []],
    ["what is no role counts nothing", { ...machine, scope: "headrace/root openid operator" }, []],
  ])("%s", (_, claims, roles) => expect(rolesOf(claims)).toEqual(roles));

  it("is a person by sub, a machine by client id", () => {
    expect(callerOf(person)).toMatchObject({ caller: { id: "7f3a", name: "ada" } });
    expect(callerOf(machine)).toMatchObject({ caller: { id: "mdm" } });
  });

  it.each([
    ["an identity token", { ...person, token_use: "id" }],
    ["a token of no kind", { client_id: "mdm" }],
    ["a token of nobody", { token_use: "access" }],
  ])("is not told by %s", (_, claims) =>
    expect(callerOf(claims)).toMatchObject({ kind: "refused", field: "authorization" }),
  );
});
