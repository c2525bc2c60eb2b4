import type { Data } from "../data.ts";

/** `value × 10^exponent`, exactly. */
export interface IntegerValue {
  readonly value: bigint;
  readonly exponent: number;
}

/** Decimal digits of a finite float, as written shortest: 0.5 is 5 × 10^-1. */
function ofFloat(float: number): IntegerValue | undefined {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(float));
  if (found === null) return undefined;
  const [, sign = "", whole = "0", fraction = "", power = "0"] = found;
  return { value: BigInt(`${sign}${whole}${fraction}`), exponent: Number(power) - fraction.length };
}

/** The number in a `Data`; undefined: it holds none. Floats become decimal digits, never the other way round. */
export function integerIn(data: Data): IntegerValue | undefined {
  switch (data.type) {
    case "integer":
    case "long":
    case "double-long":
    case "unsigned":
    case "long-unsigned":
    case "double-long-unsigned":
    case "enum":
      return { value: BigInt(data.value), exponent: 0 };
    case "long64":
    case "long64-unsigned":
      return { value: data.value, exponent: 0 };
    case "float32":
      return ofFloat(Number(data.value.toPrecision(7)));
    case "float64":
      return ofFloat(data.value);
    default:
      return undefined;
  }
}

/** The same number as a whole multiple of 10^scaler; undefined when it is none. */
export function atScaler({ value, exponent }: IntegerValue, scaler: number): bigint | undefined {
  if (exponent >= scaler) return value * 10n ** BigInt(exponent - scaler);
  const divisor = 10n ** BigInt(scaler - exponent);
  return value % divisor === 0n ? value / divisor : undefined;
}
