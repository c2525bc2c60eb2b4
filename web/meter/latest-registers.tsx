import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { quantity } from "../figures/scaled-decimal.ts";
import type { ApiReadings } from "./interval-set.ts";
import { measurementText } from "./measurement-text.ts";

type Register = ApiReadings["registers"][number];

/** The newest of each measurement, in the order of their names. */
export function newestOf(registers: readonly Register[]): readonly Register[] {
  const newest = new Map<string, Register>();
  for (const register of registers) {
    const known = newest.get(register.measurement);
    if (known === undefined || Date.parse(known.at) < Date.parse(register.at))
      newest.set(register.measurement, register);
  }
  return [...newest.values()].sort((a, b) => a.measurement.localeCompare(b.measurement));
}

const DAY_MS = 86_400_000;
const FAR_DAYS = 31;

/** The newest registers of the last day; on demand those of the last month. */
export function LatestRegisters({ meterId, latest }: { readonly meterId: string; readonly latest: ApiReadings }) {
  const api = useApi();
  const [far, setFar] = useState(false);
  const from = new Date(Date.parse(latest.asOf) - FAR_DAYS * DAY_MS).toISOString();
  const more = useQuery({
    queryKey: ["readReadings", meterId, "registers", from.slice(0, 10)],
    queryFn: ({ signal }) => api("readReadings", { params: { meterId }, query: { from, to: latest.asOf } }, { signal }),
    enabled: far,
  });
  const rows = newestOf([...latest.registers, ...(more.data?.registers ?? [])]);
  return (
    <section className="card" aria-labelledby="registers">
      <h2 id="registers">Latest registers</h2>
      {rows.length === 0 ? (
        <p className="muted">No register was read in the last {far ? `${FAR_DAYS} days` : "24 hours"}.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
        <section className="scroll" aria-label="Registers as a table" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Measurement</th>
                <th scope="col" className="number">
                  Value
                </th>
                <th scope="col">Captured</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ measurement, value, scaler, unit, at, batch }) => (
                <tr key={measurement}>
                  <th scope="row">{measurementText(measurement)}</th>
                  <td className="number">{quantity(value, scaler, unit)}</td>
                  <td>
                    <Instant at={at} />
                    {batch !== undefined && <div className="small muted mono batch">{batch}</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {more.isError && <ProblemView error={more.error} retry={() => void more.refetch()} />}
      {!far && (
        <div>
          <button type="button" onClick={() => setFar(true)}>
            Look back {FAR_DAYS} days
          </button>
        </div>
      )}
    </section>
  );
}
