import { HttpMethod, HttpNoneAuthorizer, HttpRoute, HttpRouteKey, type IHttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { ApiRoute } from "../../shared/api/route.ts";

export interface ApiRoutesProps {
  readonly api: IHttpApi;
  readonly routes: readonly ApiRoute[];
  /** By name. */
  readonly functions: ReadonlyMap<string, IFunction>;
  /** Who issues tokens, and the clients whose tokens are taken. */
  readonly issuer: string;
  readonly audience: readonly string[];
}

/**
 * The table of routes as API Gateway routes. The authorizer checks the token; which roles a route allows is the handler's to
 * check, since people carry roles as groups and machines as scopes.
 */
export class ApiRoutes extends Construct {
  constructor(scope: Construct, id: string, { api, routes, functions, issuer, audience }: ApiRoutesProps) {
    super(scope, id);
    const authorizer = new HttpJwtAuthorizer("Token", issuer, { jwtAudience: [...audience] });
    const anyone = new HttpNoneAuthorizer();
    const integrations = new Map<string, HttpLambdaIntegration>();
    const made = new Set<string>();
    for (const route of routes) {
      const handler = functions.get(route.function);
      if (handler === undefined) throw new Error(`route ${route.method} ${route.path}: no function ${route.function}`);
      const integration =
        integrations.get(route.function) ??
        new HttpLambdaIntegration(route.function, handler, { scopePermissionToRoute: false });
      integrations.set(route.function, integration);
      const [method, path] = route.behind === undefined ? [route.method, route.path] : (["ANY", route.behind] as const);
      const key = `${method} ${path}`;
      if (route.behind !== undefined && made.has(key)) continue;
      made.add(key);
      new HttpRoute(this, key, {
        httpApi: api,
        routeKey: HttpRouteKey.with(path, HttpMethod[method]),
        integration,
        authorizer: route.roles === "public" ? anyone : authorizer,
      });
    }
  }
}
