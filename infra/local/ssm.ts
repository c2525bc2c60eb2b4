import { AwsError, authorise, jsonService, type LocalServer, listen } from "./aws-endpoint.ts";
import type { Permissions } from "./permissions.ts";

interface ParameterAnswer {
  readonly Name: string;
  readonly Type: "String";
  readonly Value: string;
  readonly Version: 1;
  readonly ARN: string;
}

/** SSM parameters as the template writes them; functions may read them. */
export class ParameterStore {
  readonly #values = new Map<string, string>();

  put(name: string, value: string): void {
    this.#values.set(name, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** `arnPrefix`: `arn:aws:ssm:<region>:<account>`. */
  async serve(permissions: Permissions, arnPrefix: string): Promise<LocalServer> {
    const arnOf = (name: string): string => `${arnPrefix}:parameter/${name.replace(/^\//, "")}`;
    const answer = (name: string): ParameterAnswer | undefined => {
      const value = this.#values.get(name);
      return value === undefined
        ? undefined
        : { Name: name, Type: "String", Value: value, Version: 1, ARN: arnOf(name) };
    };
    return listen(
      jsonService(permissions, async ({ principal, operation, body }) => {
        if (operation !== "GetParameter" && operation !== "GetParameters")
          throw new AwsError("UnknownOperationException", `SSM ${operation} is not stood up (infra/local/ssm.ts)`);
        const names = operation === "GetParameter" ? [String(body.Name)] : ((body.Names ?? []) as readonly string[]);
        for (const name of names) authorise(permissions, principal, `ssm:${operation}`, arnOf(name));
        const found = names.map(answer).filter((parameter) => parameter !== undefined);
        if (operation === "GetParameters")
          return { Parameters: found, InvalidParameters: names.filter((name) => !this.#values.has(name)) };
        if (found[0] === undefined) throw new AwsError("ParameterNotFound", `no parameter ${names[0]}`);
        return { Parameter: found[0] };
      }),
    );
  }
}
