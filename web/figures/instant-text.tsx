const DATE_TIME: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
};
const full = new Intl.DateTimeFormat("en-GB", { ...DATE_TIME, second: "2-digit" });
const toMinute = new Intl.DateTimeFormat("en-GB", DATE_TIME);

/** The zone in which the console shows every time: this computer's. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export const instantText = (iso: string, detail: "minute" | "second" = "second"): string =>
  (detail === "second" ? full : toMinute).format(new Date(iso));

/** An instant in local time, with the exact UTC instant for machines and on hover. */
export function Instant({ at, detail = "second" }: { readonly at: string; readonly detail?: "minute" | "second" }) {
  return (
    <time dateTime={at} title={at}>
      {instantText(at, detail)}
    </time>
  );
}
