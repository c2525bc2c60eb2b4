import {
  type ConditionChoice,
  conditionFor,
  type QueryField,
  type TestName,
  takesValue,
  testsFor,
} from "./query-choice.ts";

interface Props {
  /** Its place among the others: `2.1`. */
  readonly number: string;
  readonly condition: ConditionChoice;
  readonly fields: readonly QueryField[];
  /** Whether "not" fits in still. */
  readonly mayNegate: boolean;
  /** What is expected of it, where it is not so. */
  readonly refusal: string | undefined;
  readonly change: (condition: ConditionChoice) => void;
  readonly remove: (() => void) | undefined;
}

/** One condition: the fact, what is asked of it, and the value. */
export function ConditionLine({ number, condition, fields, mayNegate, refusal, change, remove }: Props) {
  const id = (part: string) => `condition-${condition.id}-${part}`;
  const field = fields.find(({ name }) => name === condition.field);
  const choose = (name: string) => {
    const next = fields.find((one) => one.name === name);
    if (next !== undefined) change(conditionFor(condition.id, next));
  };
  return (
    <fieldset className="condition">
      <legend>Condition {number}</legend>
      <div className="row">
        <div className="field">
          <label htmlFor={id("field")}>Fact</label>
          <select id={id("field")} value={condition.field} onChange={(event) => choose(event.target.value)}>
            {fields.map(({ name, words }) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={id("test")}>Test</label>
          <select
            id={id("test")}
            value={condition.test}
            onChange={(event) => change({ ...condition, test: event.target.value as TestName })}
          >
            {(field === undefined ? [] : testsFor(field)).map(([test, text]) => (
              <option key={test} value={test}>
                {text}
              </option>
            ))}
          </select>
        </div>
        {takesValue(condition.test) && (
          <div className="field">
            <label htmlFor={id("value")}>{field?.unit ? `Value (${field.unit})` : "Value"}</label>
            <input
              id={id("value")}
              list={field?.values === undefined ? undefined : id("values")}
              autoComplete="off"
              spellCheck={false}
              maxLength={2000}
              value={condition.value}
              aria-invalid={refusal !== undefined}
              aria-describedby={refusal === undefined ? undefined : id("refusal")}
              onChange={(event) => change({ ...condition, value: event.target.value })}
            />
            {field?.values !== undefined && (
              <datalist id={id("values")}>
                {field.values.map((value) => (
                  <option key={value} value={value} />
                ))}
              </datalist>
            )}
          </div>
        )}
        <label className="choice">
          <input
            type="checkbox"
            checked={condition.not}
            disabled={!mayNegate}
            onChange={(event) => change({ ...condition, not: event.target.checked })}
          />
          not so
        </label>
        {remove !== undefined && (
          <button type="button" onClick={remove}>
            Remove<span className="unseen"> condition {number}</span>
          </button>
        )}
      </div>
      {refusal !== undefined && (
        <p className="refusal" id={id("refusal")} role="alert">
          {refusal}
        </p>
      )}
    </fieldset>
  );
}
