import { resetRequest } from "../jobs/order-request.ts";
import { OrderForm } from "./order-form.tsx";

/** Orders a demand reset of one meter. */
export const ResetDemand = ({ meterId }: { readonly meterId: string }) => (
  <OrderForm
    title="Reset the demand"
    about="The meter’s maximum demand is read and stored, then set back. This cannot be undone, and is done once: the meter’s own count of resets proves it."
    request={(reason, key) => resetRequest(meterId, reason, key)}
  />
);
