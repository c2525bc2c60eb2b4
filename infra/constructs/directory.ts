import { Aws, Duration, RemovalPolicy } from "aws-cdk-lib";
import {
  CfnUserPoolGroup,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  UserPool,
  type UserPoolClient,
  type UserPoolDomain,
} from "aws-cdk-lib/aws-cognito";
import { Construct } from "constructs";
import { ROLES } from "../resources.ts";

export interface DirectoryProps {
  readonly deployment: string;
}

/** Scopes are `headrace/<role>`. */
const RESOURCE_SERVER = "headrace";

/**
 * Who may do what: people are members of groups, machine clients hold scopes, both named by the role. The console's own
 * client is made with the console, whose address it needs.
 */
export class Directory extends Construct {
  readonly pool: UserPool;
  readonly domain: UserPoolDomain;
  /** One machine client a role. */
  readonly clients: ReadonlyMap<string, UserPoolClient>;

  constructor(scope: Construct, id: string, { deployment }: DirectoryProps) {
    super(scope, id);
    this.pool = new UserPool(this, "People", {
      selfSignUpEnabled: false,
      signInAliases: { username: true, email: true },
      signInCaseSensitive: false,
      passwordPolicy: {
        minLength: 14,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.domain = this.pool.addDomain("SignIn", { cognitoDomain: { domainPrefix: `${deployment}-${Aws.ACCOUNT_ID}` } });
    for (const [precedence, role] of ROLES.entries())
      new CfnUserPoolGroup(this, `Group-${role}`, { userPoolId: this.pool.userPoolId, groupName: role, precedence });

    const scopes = new Map(
      ROLES.map((role) => [role, new ResourceServerScope({ scopeName: role, scopeDescription: `Acts as ${role}` })]),
    );
    const server = this.pool.addResourceServer("Api", { identifier: RESOURCE_SERVER, scopes: [...scopes.values()] });
    this.clients = new Map(
      [...scopes].map(([role, roleScope]) => [
        role,
        this.pool.addClient(`Client-${role}`, {
          userPoolClientName: role,
          generateSecret: true,
          // An hour: a client that asks for a token a call pays more for tokens than for everything else.
          accessTokenValidity: Duration.hours(1),
          oAuth: { flows: { clientCredentials: true }, scopes: [OAuthScope.resourceServer(server, roleScope)] },
        }),
      ]),
    );
  }
}
