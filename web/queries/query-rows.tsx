import type { Answer } from "../api/client.ts";
import { Instant } from "../figures/instant-text.tsx";
import { Link } from "../shell/link.tsx";
import { jobPath, meterPath } from "../shell/pages.ts";
import type { QueryField } from "./query-choice.ts";

export type Rows = Pick<Answer<"previewQuery">, "over" | "rows">;
type Row = Readonly<Record<string, unknown>>;

function cell(value: unknown, { type }: QueryField) {
  if (value === undefined) return <span className="muted">–</span>;
  if (type === "age") return <Instant at={String(value)} />;
  if (Array.isArray(value)) return value.join(", ");
  if (type === "place") {
    const { latitude, longitude } = value as { readonly latitude: number; readonly longitude: number };
    return `${latitude}, ${longitude}`;
  }
  return String(value);
}

/** Rows with a column for each fact that any of them has. */
export function QueryRows({ over, rows, fields }: Rows & { readonly fields: readonly QueryField[] }) {
  const id = over === "jobs" ? "jobId" : "meterId";
  const all = rows as readonly Row[];
  const columns = fields.filter(({ name }) => name !== id && all.some((row) => row[name] !== undefined));
  if (all.length === 0) return <p className="empty">Nothing matches.</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
    <section className="scroll" aria-label="Matches" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{over === "jobs" ? "Job" : "Meter"}</th>
            {columns.map(({ name, words }) => (
              <th key={name} scope="col">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((row) => {
            const name = String(row[id]);
            return (
              <tr key={name}>
                <th scope="row">
                  <Link to={over === "jobs" ? jobPath(name) : meterPath(name)} className="mono">
                    {over === "jobs" ? `${name.slice(0, 8)}…` : name}
                  </Link>
                </th>
                {columns.map((field) => (
                  <td key={field.name}>{cell(row[field.name], field)}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
