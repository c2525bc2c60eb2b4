import { Stack, type StackProps } from "aws-cdk-lib";
import { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import type { Construct } from "constructs";
import { routes } from "../../shared/api/routes.ts";
import { ApiRoutes } from "../constructs/api-routes.ts";
import { describedFunctions, type FunctionCode } from "../constructs/described-functions.ts";
import { Parameters } from "../parameters.ts";
import { askForQueues, askForState, ROLES } from "../resources.ts";
import type { Settings } from "../settings.ts";

export interface ApiStackProps extends StackProps, FunctionCode {
  readonly settings: Settings;
}

/** The routes and the functions behind them: a stack of their own, for a stack has room for 500 resources. */
export class ApiStack extends Stack {
  constructor(scope: Construct, id: string, props: ApiStackProps) {
    super(scope, id, props);
    const { settings, code, layers } = props;
    const parameters = new Parameters(this, settings.deployment);
    const functions = describedFunctions(this, {
      settings,
      code,
      layers,
      state: askForState(parameters, settings.deployment),
      queues: askForQueues(parameters),
      which: ({ trigger }) => trigger.kind === "http",
    });
    new ApiRoutes(this, "Routes", {
      api: HttpApi.fromHttpApiAttributes(this, "Api", { httpApiId: parameters.ask("api/id") }),
      routes: Object.values(routes),
      functions: new Map([...functions].map(([name, { function: fn }]) => [name, fn])),
      issuer: `https://cognito-idp.${settings.region}.amazonaws.com/${parameters.ask("users/pool")}`,
      audience: ["console", ...ROLES].map((client) => parameters.ask(`users/clients/${client}`)),
    });
  }
}
