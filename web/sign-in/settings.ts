/** `/config.json`, written at deployment. */
export interface ConsoleSettings {
  /** Authority: `<issuer>/.well-known/openid-configuration` describes it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Where the API lies, on this origin. */
  readonly apiBase: string;
  /** Name of the deployment, as people know it. */
  readonly deployment: string;
}

/** Throws an Error that names the field which is missing or no text. */
export function settingsIn(value: unknown): ConsoleSettings {
  const found = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const text = (field: keyof ConsoleSettings): string => {
    const entry = found[field];
    if (typeof entry !== "string" || entry === "")
      throw new Error(`config.json: ${field}: expected a text, got ${JSON.stringify(entry) ?? "nothing"}`);
    return entry;
  };
  return {
    issuer: text("issuer"),
    clientId: text("clientId"),
    apiBase: text("apiBase"),
    deployment: text("deployment"),
  };
}

export async function loadSettings(): Promise<ConsoleSettings> {
  const response = await fetch("/config.json", { cache: "no-cache" });
  if (!response.ok) throw new Error(`config.json: expected 200, got ${response.status}`);
  return settingsIn(await response.json());
}
