/** Both ends included; -Infinity and Infinity where there is no bound. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly exclusive_min: number;
  readonly exclusive_max: number;
}

export const UNBOUNDED: NumberRange = {
  min: -Infinity,
  max: Infinity,
  exclusive_min: -Infinity,
  exclusive_max: Infinity,
};

/** The range's ends in units of the last decimal, exactly. */
export function inUnits(range: NumberRange, fraction: number, largest: bigint): readonly [bigint, bigint] {
  const lows = [-largest, ceiling(range.min, fraction), floor(range.exclusive_min, fraction, 1n)];
  const highs = [largest, floor(range.max, fraction), ceiling(range.exclusive_max, fraction, -1n)];
  const known = (values: readonly (bigint | undefined)[]): bigint[] => values.filter((v) => v !== undefined);
  return [known(lows).reduce((a, b) => (b > a ? b : a)), known(highs).reduce((a, b) => (b < a ? b : a))];
}

function floor(value: number, fraction: number, plus = 0n): bigint | undefined {
  if (!Number.isFinite(value)) return undefined;
  // A double's shortest decimal text is what JSON writes and what the bound means.
  const [, sign = '', whole = '', decimals = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const digits = BigInt(`${sign}${whole}${decimals}`);
  const shift = Number(exponent) + fraction - decimals.length;
  if (shift >= 0) return digits * 10n ** BigInt(shift) + plus;
  const divisor = 10n ** BigInt(-shift);
  const quotient = digits / divisor;
  return (digits < 0n && digits % divisor !== 0n ? quotient - 1n : quotient) + plus;
}

function ceiling(value: number, fraction: number, plus = 0n): bigint | undefined {
  const floored = floor(-value, fraction);
  return floored === undefined ? undefined : -floored + plus;
}
