import { StartupError } from "./startup-error.ts";

/** A message as the rule engine sees it. */
export interface RuleMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Undefined: it was not sent by an MQTT client. */
  readonly clientId: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface RuleStatement {
  /** Whether the FROM clause takes the topic. */
  takes(topic: string): boolean;
  /** What the actions get, as text; undefined: the statement cannot be evaluated for this message. */
  result(message: RuleMessage): string | undefined;
}

type Value = string | number | undefined;
type Expression = (message: RuleMessage) => Value;

/** Whether an MQTT topic filter takes a topic (MQTT 3.1.1, topic names and topic filters). */
export function topicMatches(filter: string, topic: string): boolean {
  const [wanted, given] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && /^[#+]/.test(filter)) return false;
  for (const [at, level] of wanted.entries()) {
    if (level === "#") return true;
    if (given[at] === undefined || (level !== "+" && level !== given[at])) return false;
  }
  return wanted.length === given.length;
}

/** Expressions of the rules' SQL that local mode evaluates: functions of the message as a whole. */
const EXPRESSIONS: readonly (readonly [RegExp, (match: RegExpExecArray) => Expression])[] = [
  [
    /^encode\(\s*\*\s*,\s*'base64'\s*\)$/i,
    () =>
      ({ payload }) =>
        Buffer.from(payload).toString("base64"),
  ],
  [
    /^clientid\(\s*\)$/i,
    () =>
      ({ clientId = "n/a" }) =>
        clientId,
  ],
  [
    /^timestamp\(\s*\)$/i,
    () =>
      ({ at }) =>
        at,
  ],
  [
    /^topic\(\s*\)$/i,
    () =>
      ({ topic }) =>
        topic,
  ],
  [
    /^topic\(\s*([1-9]\d*)\s*\)$/i,
    ([, level]) =>
      ({ topic }) =>
        topic.split("/")[Number(level) - 1],
  ],
  [
    /^'([^']*)'$/,
    ([, text]) =>
      () =>
        text,
  ],
];

/** Commas outside parentheses. */
const itemsOf = (list: string): readonly string[] => list.split(/,(?![^(]*\))/).map((item) => item.trim());

/**
 * The subset of the rules' SQL that the description uses: `SELECT expression AS name, … FROM 'topic filter'`. Throws
 * StartupError for anything else: a rule that means something else here than on AWS would be worse than none.
 */
export function ruleStatement(sql: string, where: string): RuleStatement {
  const [, list, filter] = /^\s*SELECT\s+(.+?)\s+FROM\s+'([^']+)'\s*$/is.exec(sql) ?? [];
  if (list === undefined || filter === undefined)
    throw new StartupError(`${where}: local mode evaluates SELECT … FROM 'filter' alone, got ${sql}`);
  const fields = itemsOf(list).map((item) => {
    const [, text, name] = /^(.+?)\s+AS\s+(\w+)$/is.exec(item) ?? [];
    for (const [pattern, made] of EXPRESSIONS) {
      const match = text === undefined ? null : pattern.exec(text);
      if (match !== null && name !== undefined) return { name, value: made(match) };
    }
    throw new StartupError(`${where}: local mode does not evaluate ${item} (infra/local/iot-rule.ts)`);
  });
  return {
    takes: (topic) => topicMatches(filter, topic),
    result: (message) => JSON.stringify(Object.fromEntries(fields.map(({ name, value }) => [name, value(message)]))),
  };
}
