import { assert } from "../../shared/ports/errors.ts";
import { exchangeMeter } from "../../shared/readings/exchange-meter.ts";
import { retireMeter } from "../../shared/readings/retire-meter.ts";
import { enrolMeters, FILL_ALL } from "../../shared/registry/enrol-meters.ts";
import { enrolPorts } from "../adapters/enrol-ports.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { exchangePorts, retirePorts } from "./exchange-ports.ts";

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
  async exchangeMeter({ params: { meterId }, body, caller }) {
    const { reason, ...rest } = body;
    const outcome = await exchangeMeter(exchangePorts(ports, caller, reason), { ...rest, retires: meterId });
    if (outcome.kind !== "refused") {
      const { meter, place } = outcome.there;
      const status = outcome.kind === "exchanged" ? 201 : 200;
      const { servicePoint = "" } = meter;
      const shown = { meterId: meter.meterId, outcome: outcome.kind, replaces: meterId, servicePoint };
      return { status, body: { ...shown, ...place } };
    }
    const { kind: _, because, ...error } = outcome;
    if (because === "unknown-meter") return refuse("not-found", `There is no meter ${meterId}.`, error);
    return because === "conflict"
      ? refuse("conflict", `Meter ${meterId} cannot be exchanged for ${body.meter.meterId}.`, error)
      : refuse("unprocessable", `Meter ${meterId} cannot be exchanged like this.`, error);
  },
  async retireMeter({ params: { meterId }, body: { at, reason, finalReads }, caller }) {
    const outcome = await retireMeter(retirePorts(ports, caller, reason), { retires: meterId, at, finalReads });
    if (outcome.kind !== "refused")
      return {
        status: outcome.kind === "retired" ? 201 : 200,
        body: { meterId, outcome: outcome.kind, retired: { at } },
      };
    const { kind: _, because, ...error } = outcome;
    if (because === "unknown-meter") return refuse("not-found", `There is no meter ${meterId}.`, error);
    return because === "conflict"
      ? refuse("conflict", `Meter ${meterId} is retired already.`, error)
      : refuse("unprocessable", `Meter ${meterId} cannot retire like this.`, error);
  },
});
