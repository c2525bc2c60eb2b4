import { type IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";

/** Hands a message to the broker for one endpoint: kept while its session lives, and it has not acknowledged it. */
export type SendMail = (thing: string, octets: Uint8Array) => Promise<void>;

/** `topic`: with `{thing}` in the place of the endpoint's name. Rejects when the broker did not take it. */
export const iotMail =
  (iot: IoTDataPlaneClient, topic: string): SendMail =>
  async (thing, payload) => {
    await iot.send(new PublishCommand({ topic: topic.replace("{thing}", thing), qos: 1, payload }));
  };
