import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, it } from "vitest";
import { described, resourcesOf, templatesOf } from "../description-fixture.ts";
import { ROLES, TABLES } from "../resources.ts";

const { state } = templatesOf(described());

describe("state stack", () => {
  it("keeps every table: retained, protected, restorable to the second, paid by request", () => {
    const tables = resourcesOf(state, "AWS::DynamoDB::GlobalTable");
    expect(tables).toHaveLength(TABLES.length);
    for (const [, table] of tables) {
      expect(table.DeletionPolicy).toBe("Retain");
      expect(table.Properties).toMatchObject({
        BillingMode: "PAY_PER_REQUEST",
        Replicas: [
          { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
        ],
      });
    }
  });

  it("keeps what it holds when the stack goes", () => {
    for (const type of ["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"])
      for (const [name, resource] of resourcesOf(state, type))
        expect([name, resource.DeletionPolicy]).toEqual([name, "Retain"]);
  });

  it("gives the key store the Encryption SDK's own schema", () =>
    state.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      KeySchema: [
        { AttributeName: "branch-key-id", KeyType: "HASH" },
        { AttributeName: "type", KeyType: "RANGE" },
      ],
    }));

  it("seals the audit with a key pair of KMS, in a bucket from which nothing can be removed", () => {
    state.hasResourceProperties("AWS::KMS::Key", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    state.hasResourceProperties("AWS::S3::Bucket", {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 2200 } },
      },
    });
  });

  it("makes the key of the meter keys multi-Region and turning over", () =>
    state.hasResourceProperties("AWS::KMS::Key", { MultiRegion: true, EnableKeyRotation: true }));

  it("versions evidence and lets uploads expire", () => {
    state.hasResourceProperties("AWS::S3::Bucket", { VersioningConfiguration: { Status: "Enabled" } });
    state.hasResourceProperties("AWS::S3::Bucket", {
      LifecycleConfiguration: { Rules: Match.arrayWith([Match.objectLike({ ExpirationInDays: 30 })]) },
    });
  });

  it("lets nobody sign up, and asks everybody for a second factor", () =>
    state.hasResourceProperties("AWS::Cognito::UserPool", {
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: "ON",
      EnabledMfas: ["SOFTWARE_TOKEN_MFA"],
    }));

  it("has a group, a scope and a machine client for every role", () => {
    expect(resourcesOf(state, "AWS::Cognito::UserPoolGroup").map(([, group]) => group.Properties.GroupName)).toEqual([
      ...ROLES,
    ]);
    state.hasResourceProperties("AWS::Cognito::UserPoolResourceServer", {
      Identifier: "headrace",
      Scopes: ROLES.map((role) => Match.objectLike({ ScopeName: role })),
    });
    for (const role of ROLES)
      state.hasResourceProperties("AWS::Cognito::UserPoolClient", {
        ClientName: role,
        GenerateSecret: true,
        AllowedOAuthFlows: ["client_credentials"],
        AllowedOAuthScopes: [{ "Fn::Join": ["", [Match.anyValue(), `/${role}`]] }],
      });
  });

  it("keeps the addresses that field networks list, where there are any", () => {
    state.resourceCountIs("AWS::EC2::EIP", 0);
    const addresses = resourcesOf(
      templatesOf(described({ profile: "utility", network: "fixed" })).state,
      "AWS::EC2::EIP",
    );
    expect(addresses).toHaveLength(6);
    for (const [, address] of addresses) expect(address.DeletionPolicy).toBe("Retain");
  });
});
