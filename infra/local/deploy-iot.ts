import type { Json } from "./assembly.ts";
import { fields, items } from "./deploy-state.ts";
import { ruleStatement } from "./iot-rule.ts";
import type { LoadedTemplate } from "./load.ts";
import { send } from "./sqs.ts";
import type { StandIns } from "./stand-ins.ts";
import { StartupError } from "./startup-error.ts";

/** Topic rules, and the policies of endpoints. */
export function deployIot(template: LoadedTemplate, standIns: Pick<StandIns, "iot" | "queues" | "permissions">): void {
  const { iot } = standIns;
  for (const policy of template.ofType("AWS::IoT::Policy")) {
    const document = policy.property("PolicyDocument");
    if (document === undefined) throw new StartupError(`${policy.stack}.${policy.logicalId}: a policy has a document`);
    iot.broker.attachPolicy(document);
  }
  for (const rule of template.ofType("AWS::IoT::TopicRule")) {
    const where = `${rule.stack}.${rule.logicalId}`;
    const payload = fields(rule.property("TopicRulePayload"));
    if (payload.RuleDisabled === true) continue;
    const actions = items(payload.Actions).map((action) => queueAction(action, where, standIns));
    const onError = payload.ErrorAction === undefined ? () => true : queueAction(payload.ErrorAction, where, standIns);
    iot.broker.addRule({
      name: rule.physical.ref,
      statement: ruleStatement(String(payload.Sql), where),
      act: (body) => actions.map((act) => act(body)).every((done) => done),
      onError,
    });
  }
}

/** The one kind of action that local mode knows: a message of a queue, sent in the action's role. */
function queueAction(
  action: Json,
  where: string,
  { queues, permissions }: Pick<StandIns, "queues" | "permissions">,
): (body: string) => boolean {
  const { Sqs, ...others } = fields(action);
  const { QueueUrl, RoleArn, UseBase64 } = fields(Sqs);
  if (Sqs === undefined || Object.keys(others).length > 0 || UseBase64 === true)
    throw new StartupError(`${where}: local mode knows rules that send text to queues, got ${JSON.stringify(action)}`);
  const queue = queues.sqs.getQueue(String(QueueUrl));
  if (queue === undefined) throw new StartupError(`${where}: ${String(QueueUrl)} is no queue of the template`);
  if (!permissions.allows(String(RoleArn), "sqs:SendMessage", queue.arn))
    throw new StartupError(`${where}: the role of the action does not allow sqs:SendMessage on ${queue.arn}`);
  return (body) => send(queues.sqs, queue, body);
}
