import { inUnits, UNBOUNDED, type NumberRange } from './number-range.ts';
import { grammarId, type Grammar, type Place, type Rest } from './grammar.ts';

/** Digits before and after the point: together at most 15, which a double holds exactly. */
interface Digits {
  readonly whole: number;
  readonly fraction: number;
}

const INTEGER: Digits = { whole: 15, fraction: 0 };
const DECIMAL: Digits = { whole: 9, fraction: 6 };

/**
 * An integer of at most 15 digits.
 * @throws RangeError if the range holds none
 */
export const integer = (range: NumberRange = UNBOUNDED): Grammar => numeric(range, INTEGER);

/**
 * A number without exponent, of at most 9 digits and 6 decimals.
 * @throws RangeError if the range holds none
 */
export const decimal = (range: NumberRange = UNBOUNDED): Grammar => numeric(range, DECIMAL);

/** What stands of a number. Its value, and those of numbers that it can become, in the last decimal's unit. */
interface Written {
  readonly negative: boolean;
  /** Digits without the point. */
  readonly digits: string;
  /** How many of them stand behind the point; undefined without a point. */
  readonly decimals: number | undefined;
}

function numeric(range: NumberRange, { whole, fraction }: Digits): Grammar {
  const id = grammarId();
  const unit = 10n ** BigInt(fraction);
  const largest = 10n ** BigInt(whole + fraction) - 1n;
  const [min, max] = inUnits(range, fraction, largest);
  if (min > max) throw new RangeError('no number is in the range');

  /** The magnitudes that a number of that sign may have; -0 is none. */
  const magnitudes = (negative: boolean): readonly [bigint, bigint] =>
    negative ? [max < 0n ? -max : 1n, -min] : [min > 0n ? min : 0n, max];

  /** The least magnitude in range that begins so, if there is one. */
  function least({ negative, digits, decimals }: Written): bigint | undefined {
    const [low, high] = magnitudes(negative);
    const value = BigInt(digits || '0');
    const within = (first: bigint, width: bigint): bigint | undefined => {
      const candidate = first > low ? first : low;
      return candidate <= high && candidate < first + width ? candidate : undefined;
    };
    if (decimals !== undefined) {
      const width = 10n ** BigInt(fraction - decimals);
      return within(value * width, width);
    }
    if (digits === '') return within(0n, largest + 1n);
    const longer = digits === '0' ? 0 : whole - digits.length;
    for (let more = 0; more <= longer; more++) {
      const width = 10n ** BigInt(more) * unit;
      const found = within(value * width, width);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function isComplete(written: Written): boolean {
    if (written.digits === '' || written.decimals === 0) return false;
    const [low, high] = magnitudes(written.negative);
    const value = BigInt(written.digits) * 10n ** BigInt(fraction - (written.decimals ?? 0));
    return value >= low && value <= high;
  }

  function places(written: Written, rest: Rest): readonly Place[] {
    const magnitude = least(written);
    if (magnitude === undefined) return [];
    const complete = isComplete(written);
    const key = `${id}.${text(written)}|${rest.key}`;
    const missing = complete
      ? ''
      : completion(magnitude, written.decimals === 0).slice(
          written.digits.length + (written.decimals === undefined ? 0 : 1),
        );
    const next = (byte: number): readonly Place[] => {
      const after = append(written, String.fromCharCode(byte), fraction);
      return after ? places(after, rest) : [];
    };
    return [{ key, next, shortest: missing + rest.shortest }, ...(complete ? rest.enter() : [])];
  }

  /** A magnitude as JSON: with a point only where it needs one or there is one already. */
  function completion(magnitude: bigint, pointed = false): string {
    const decimals = (magnitude % unit).toString().padStart(fraction, '0').replace(/0+$/, '');
    const written = decimals.replace(/^$/, pointed ? '0' : '');
    return `${magnitude / unit}${fraction > 0 && written !== '' ? `.${written}` : ''}`;
  }

  const start: Written = { negative: false, digits: '', decimals: undefined };
  const negative = least(start) === undefined;
  const shortest = (negative ? '-' : '') + completion(least({ ...start, negative }) ?? 0n);
  return {
    shortest,
    enter: (rest) => [
      {
        key: `${id}.|${rest.key}`,
        shortest: shortest + rest.shortest,
        next(byte) {
          const after =
            byte === 0x2d ? { ...start, negative: true } : append(start, String.fromCharCode(byte), fraction);
          return after ? places(after, rest) : [];
        },
      },
    ],
  };
}

const text = ({ negative, digits, decimals }: Written): string => {
  const point = digits.length - (decimals ?? 0);
  return `${negative ? '-' : ''}${digits.slice(0, point)}${decimals === undefined ? '' : '.'}${digits.slice(point)}`;
};

/** One more character, if the form of JSON numbers allows it. Whether the value does is `least`'s matter. */
function append(written: Written, character: string, fraction: number): Written | undefined {
  const { digits, decimals } = written;
  if (character === '.') {
    return fraction > 0 && digits !== '' && decimals === undefined ? { ...written, decimals: 0 } : undefined;
  }
  if (!/^[0-9]$/.test(character)) return undefined;
  if (decimals !== undefined) {
    return decimals < fraction
      ? { ...written, digits: digits + character, decimals: decimals + 1 }
      : undefined;
  }
  return digits === '0' ? undefined : { ...written, digits: digits + character };
}
