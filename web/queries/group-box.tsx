import type { ReactNode } from "react";
import { ConditionLine } from "./condition-line.tsx";
import {
  changed,
  conditionFor,
  depthOf,
  type GroupChoice,
  isGroup,
  type NodeChoice,
  nextId,
  type QueryField,
  sizeOf,
} from "./query-choice.ts";

export interface Limits {
  /** How deep a filter may nest, and how many nodes it may have. */
  readonly levels: number;
  readonly nodes: number;
}

interface Props {
  readonly root: GroupChoice;
  readonly group: GroupChoice;
  /** Its place among the others: `2.1`; "": the outermost one. */
  readonly number: string;
  readonly fields: readonly QueryField[];
  readonly limits: Limits;
  readonly refusal: { readonly id: number; readonly expected: string } | undefined;
  readonly change: (root: GroupChoice) => void;
  readonly lineFor: (id: number) => NodeChoice | undefined;
}

/** Parts of one group at the most. */
const PARTS_MAX = 20;

/** What comes gets the focus once it is there. */
const focusSoon = (id: string) => requestAnimationFrame(() => document.getElementById(id)?.focus());

/** A line of a fact. */
export const lineOf = (fields: readonly QueryField[], start: string, id: number): NodeChoice | undefined => {
  const field = fields.find(({ name }) => name === start) ?? fields[0];
  return field === undefined ? undefined : conditionFor(id, field);
};

/** Lines and groups that are joined, each of which may be left out or turned round; as deep as a filter may nest. */
export function GroupBox({ root, group, number, fields, limits, refusal, change, lineFor }: Props) {
  const replace = (id: number, node: NodeChoice | undefined) =>
    change(id === root.id && node !== undefined ? (node as GroupChoice) : changed(root, id, () => node));
  const own = (part: Partial<GroupChoice>) => replace(group.id, { ...group, ...part });
  const used = depthOf(root, group.id) ?? 0;
  const left = limits.levels - used - (group.not ? 2 : 1);
  const full = group.of.length >= PARTS_MAX || sizeOf(root).nodes >= limits.nodes;
  const add = (node: NodeChoice | undefined, focus: string) => {
    if (node === undefined) return;
    own({ of: [...group.of, node] });
    focusSoon(focus);
  };
  const addLine = () => {
    const id = nextId(root);
    add(lineFor(id), `condition-${id}-field`);
  };
  const addGroup = () => {
    const id = nextId(root);
    const line = lineFor(id + 1);
    if (line !== undefined) add({ id, join: "any", not: false, of: [line] }, `group-${id}-join`);
  };
  const remove = (id: number) => {
    replace(id, undefined);
    focusSoon(`group-${group.id}-add`);
  };
  const removable = group.of.length > 1;
  const children: ReactNode = group.of.map((one, index) => {
    const place = number === "" ? String(index + 1) : `${number}.${index + 1}`;
    if (isGroup(one))
      return (
        <fieldset className="condition" key={one.id}>
          <legend>Group {place}</legend>
          <GroupHead group={one} number={place} limits={limits} root={root} change={(next) => replace(one.id, next)}>
            {removable && (
              <button type="button" onClick={() => remove(one.id)}>
                Remove<span className="unseen"> group {place}</span>
              </button>
            )}
          </GroupHead>
          <GroupBox {...{ root, fields, limits, refusal, change, lineFor }} group={one} number={place} />
        </fieldset>
      );
    return (
      <ConditionLine
        key={one.id}
        number={place}
        condition={one}
        fields={fields}
        mayNegate={one.not || left >= 2}
        refusal={refusal?.id === one.id ? refusal.expected : undefined}
        change={(next) => replace(one.id, next)}
        remove={removable ? () => remove(one.id) : undefined}
      />
    );
  });
  const where = number === "" ? "" : ` to group ${number}`;
  return (
    <>
      {children}
      <div className="row">
        <button type="button" id={`group-${group.id}-add`} disabled={full} onClick={addLine}>
          Add a condition<span className="unseen">{where}</span>
        </button>
        <button type="button" disabled={full || left < 2} onClick={addGroup}>
          Add a group<span className="unseen">{where}</span>
        </button>
      </div>
    </>
  );
}

interface HeadProps {
  readonly root: GroupChoice;
  readonly group: GroupChoice;
  readonly number: string;
  readonly limits: Limits;
  readonly children?: ReactNode;
  readonly change: (group: GroupChoice) => void;
}

/** How a group joins its parts, and whether it is turned round. */
export function GroupHead({ root, group, number, limits, children, change }: HeadProps) {
  const join = number === "" ? "query-join" : `group-${group.id}-join`;
  const deepest = (depthOf(root, group.id) ?? 0) + sizeOf(group).levels;
  return (
    <div className="row">
      <div className="field">
        <label htmlFor={join}>That match{number !== "" && <span className="unseen"> in group {number}</span>}</label>
        <select
          id={join}
          value={group.join}
          onChange={(event) => change({ ...group, join: event.target.value as GroupChoice["join"] })}
        >
          <option value="all">all conditions</option>
          <option value="any">any condition</option>
        </select>
      </div>
      <label className="choice">
        <input
          type="checkbox"
          checked={group.not}
          disabled={!group.not && deepest >= limits.levels}
          onChange={(event) => change({ ...group, not: event.target.checked })}
        />
        not so<span className="unseen">{number === "" ? ": all of it" : `: group ${number}`}</span>
      </label>
      {children}
    </div>
  );
}
