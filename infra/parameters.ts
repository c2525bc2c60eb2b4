import { CfnParameter } from "aws-cdk-lib";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";

/**
 * What one stack tells another, as SSM parameters with fixed names: stacks can be removed and made again, and state can be
 * restored under a new name, without a CloudFormation export freezing its producer.
 */
export class Parameters {
  readonly #scope: Construct;
  readonly #deployment: string;
  readonly #asked = new Map<string, CfnParameter>();

  constructor(scope: Construct, deployment: string) {
    this.#scope = scope;
    this.#deployment = deployment;
  }

  tell(name: string, stringValue: string): void {
    new StringParameter(this.#scope, `Tell-${name.replaceAll("/", "-")}`, {
      parameterName: this.#nameOf(name),
      stringValue,
    });
  }

  /** Resolved by CloudFormation when the reading stack is deployed. */
  ask(name: string): string {
    let parameter = this.#asked.get(name);
    if (parameter === undefined) {
      parameter = new CfnParameter(this.#scope, `Asks-${name.replaceAll("/", "-")}`, {
        type: "AWS::SSM::Parameter::Value<String>",
        default: this.#nameOf(name),
      });
      this.#asked.set(name, parameter);
    }
    return parameter.valueAsString;
  }

  #nameOf(name: string): string {
    return `/headrace/${this.#deployment}/${name}`;
  }
}
