import type { VenPorts } from "../../shared/demand/openadr/ven-client.ts";

const TIMEOUT_MS = 10_000;

/** Requests of the VEN. No redirect is followed: a token is for the VTN that was named. */
export const venSend: VenPorts["send"] = async ({ url, ...request }) => {
  const answer = await fetch(url, { ...request, redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await answer.text();
  const json = answer.headers.get("content-type")?.includes("json") === true;
  return { status: answer.status, body: json ? (JSON.parse(text) as unknown) : text };
};
