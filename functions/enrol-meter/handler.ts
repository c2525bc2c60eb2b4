import { assert } from "../../shared/ports/errors.ts";
import { enrolMeters, FILL_ALL } from "../../shared/registry/enrol-meters.ts";
import { enrolPorts } from "../adapters/enrol-ports.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";

const ports = enrolPorts(vaultOfEnvironment().vault);

export const handler = httpHandler({
  async enrolMeter({ body }) {
    const [outcome] = await enrolMeters(ports, [body], FILL_ALL);
    assert(outcome !== undefined, "one request has one outcome");
    if (outcome.kind !== "refused") {
      const { kind, meterId, place } = outcome;
      return { status: kind === "enrolled" ? 201 : 200, body: { meterId, outcome: kind, ...place } };
    }
    const { kind: _, because, ...error } = outcome;
    return because === "conflict"
      ? refuse("conflict", `Meter ${body.meterId} conflicts with what is enrolled.`, error)
      : refuse("unprocessable", `Meter ${body.meterId} cannot be enrolled like this.`, error);
  },
});
