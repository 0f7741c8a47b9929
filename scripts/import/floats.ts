import { halfToFloat } from '../../src/kernels/reference.ts';

/** Bytes a value of the dtypes that weights are published in. */
export const ITEM_SIZE = { F32: 4, F16: 2, BF16: 2 } as const;
export type FloatType = keyof typeof ITEM_SIZE;

export function isFloatType(dtype: string): dtype is FloatType {
  return dtype in ITEM_SIZE;
}

/** Little-endian values as float32, which holds all three exactly. @param floats filled */
export function toFloats(bytes: Uint8Array, dtype: FloatType, floats: Float32Array): void {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  if (dtype === 'F32') {
    new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength).set(bytes);
    return;
  }
  for (let i = 0; i < floats.length; i++) {
    const half = (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8);
    if (dtype === 'F16') floats[i] = HALVES[half] ?? NaN;
    else bits[i] = half << 16;
  }
}

/** The value of each of float16's 65,536 patterns: halfToFloat knows the finite ones. */
const HALVES = Float32Array.from({ length: 65_536 }, (_, half) => {
  if ((half & 0x7c00) !== 0x7c00) return halfToFloat(half);
  if ((half & 1023) !== 0) return NaN;
  return half & 0x8000 ? -Infinity : Infinity;
});

/** The bits of the nearest float16, ties to even; an infinity past its range. */
export function toHalf(value: number): number {
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (magnitude >= 65_520) return sign | 0x7c00;
  const exponent = Math.max(-14, exponentOf(magnitude));
  const steps = magnitude / 2 ** (exponent - 10); // 1024 to 2048, below that where it is subnormal
  return sign | ((exponent + 14) * 1024 + roundHalfEven(steps));
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

function exponentOf(magnitude: number): number {
  double[0] = magnitude;
  return (((words[1] ?? 0) >>> 20) & 0x7ff) - 1023;
}

/** Of a value from 0 to 2^51: the addition leaves no place for a fraction, and rounds. */
function roundHalfEven(value: number): number {
  return value + 2 ** 52 - 2 ** 52;
}
