import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import { OAuthScope, UserPool } from "aws-cdk-lib/aws-cognito";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { ConsoleSite } from "../constructs/console-site.ts";
import { FrontDoor } from "../constructs/front-door.ts";
import { Parameters } from "../parameters.ts";
import type { Settings } from "../settings.ts";

export interface ConsoleStackProps extends StackProps {
  readonly settings: Settings;
  /** Folder of the built console. @default only its settings are deployed */
  readonly site?: string;
}

/**
 * What faces people and the network: the API's address, one distribution before it and the console, and the console's sign-in.
 * It is deployed before the service, because sign-in needs the distribution's address and the service's authorizer needs the
 * sign-in client.
 */
export class ConsoleStack extends Stack {
  constructor(scope: Construct, id: string, props: ConsoleStackProps) {
    super(scope, id, props);
    const { settings } = props;
    const parameters = new Parameters(this, settings.deployment);
    const domain = parameters.ask("users/domain");
    const pool = parameters.ask("users/pool");
    const issuer = `https://cognito-idp.${settings.region}.amazonaws.com/${pool}`;
    const signIn = `https://${domain}.auth.${settings.region}.amazoncognito.com`;

    const door = new FrontDoor(this, "FrontDoor", {
      settings,
      connectTo: [`https://cognito-idp.${settings.region}.amazonaws.com`, signIn],
    });
    const client = UserPool.fromUserPoolId(this, "People", pool).addClient("SignIn", {
      userPoolClientName: "console",
      generateSecret: false, // a browser keeps no secrets: code flow with PKCE
      preventUserExistenceErrors: true,
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID],
        callbackUrls: [`${door.address}/callback`],
        logoutUrls: [`${door.address}/`],
      },
    });
    new ConsoleSite(this, "Site", {
      bucket: door.bucket as IBucket,
      distribution: door.distribution,
      ...(props.site === undefined ? {} : { folder: props.site }),
      config: {
        deployment: settings.deployment,
        apiBase: "/api",
        issuer,
        clientId: client.userPoolClientId,
      },
    });

    parameters.tell("api/id", door.api.apiId);
    parameters.tell("users/clients/console", client.userPoolClientId);
    new CfnOutput(this, "ConsoleAddress", { value: door.address });
    new CfnOutput(this, "ApiAddress", { value: door.api.apiEndpoint });
    new CfnOutput(this, "TokenAddress", { value: `${signIn}/oauth2/token` });
  }
}
