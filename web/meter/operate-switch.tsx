import { useState } from "react";
import { type SwitchOrder, switchRequest } from "../jobs/order-request.ts";
import { OrderForm } from "./order-form.tsx";

const CHOICES = [
  ["open", "Open it: the customer is cut off"],
  ["closed", "Close it: refused where the load side is live, or nobody can tell"],
  ["armed", "Arm it: the customer closes it at the meter"],
] as const satisfies readonly (readonly [SwitchOrder["to"], string])[];

/** Orders the disconnect switch of one meter, or tries the order. */
export function OperateSwitch({ meterId }: { readonly meterId: string }) {
  const [to, setTo] = useState<SwitchOrder["to"]>("open");
  const [test, setTest] = useState(true);
  return (
    <OrderForm
      title="Operate the switch"
      about="Position and voltages are read before and after, and prove what happened. Stops, flags and caps are looked at last of all; on any doubt nothing is sent."
      choice={`${to} ${test}`}
      request={(reason, key) => switchRequest(meterId, { to, test }, reason, key)}
    >
      <fieldset>
        <legend>What</legend>
        {CHOICES.map(([value, text]) => (
          <label key={value} className="choice">
            <input type="radio" name="to" value={value} checked={to === value} onChange={() => setTo(value)} />
            {text}
          </label>
        ))}
      </fieldset>
      <label className="choice">
        <input type="checkbox" checked={test} onChange={(event) => setTest(event.target.checked)} />
        Only try it: everything but the effect
      </label>
    </OrderForm>
  );
}
