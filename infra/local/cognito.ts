import { AwsError, authorise, jsonService, type LocalServer, listen } from "./aws-endpoint.ts";
import type { DemoUser } from "./issuer-directory.ts";
import type { Permissions } from "./permissions.ts";

/** The user pool as functions ask it: which groups a person is in. People sign in at the local issuer. */
export class Cognito {
  readonly #permissions: Permissions;
  readonly #arnPrefix: string;
  #users: readonly DemoUser[] = [];
  #server: LocalServer | undefined;

  /** `arnPrefix`: `arn:aws:cognito-idp:<region>:<account>`. */
  constructor(permissions: Permissions, arnPrefix: string) {
    this.#permissions = permissions;
    this.#arnPrefix = arnPrefix;
  }

  put(users: readonly DemoUser[]): void {
    this.#users = users;
  }

  async start(): Promise<LocalServer> {
    this.#server = await listen(
      jsonService(this.#permissions, async ({ principal, operation, body }) => {
        if (operation !== "AdminListGroupsForUser")
          throw new AwsError(
            "UnknownOperationException",
            `Cognito ${operation} is not stood up (infra/local/cognito.ts)`,
          );
        const pool = `${this.#arnPrefix}:userpool/${String(body.UserPoolId)}`;
        authorise(this.#permissions, principal, `cognito-idp:${operation}`, pool);
        const user = this.#users.find(({ name }) => name === body.Username);
        if (user === undefined) throw new AwsError("UserNotFoundException", "User does not exist.");
        return { Groups: [{ GroupName: user.role, UserPoolId: body.UserPoolId }] };
      }),
    );
    return this.#server;
  }
}
