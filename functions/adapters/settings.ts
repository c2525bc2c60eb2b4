import { z } from "zod";

/** Reads what a function needs from its environment; a missing or malformed variable ends the start with its name. */
export function settings<S extends z.ZodRawShape>(shape: S): z.output<z.ZodObject<S>> {
  const answer = z.object(shape).safeParse(process.env);
  if (answer.success) return answer.data;
  const wrong = answer.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new TypeError(`expected settings in the environment: ${wrong}`);
}

export const Setting = z.string().min(1);

/** A number of days; undefined where it is 0: for good. */
export const retentionDays = (text: string): number | undefined =>
  Number(z.stringFormat("days", /^\d{1,5}$/).parse(text)) || undefined;
