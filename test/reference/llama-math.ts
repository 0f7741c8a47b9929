import type { Float32Tensor } from './safetensors.ts';

/** Fields of transformers' LlamaConfig. */
export interface LlamaConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
}

export type Vector = Float64Array;

export function at(vector: ArrayLike<number>, index: number): number {
  const value = vector[index];
  if (value === undefined) throw new RangeError(`index ${index} of ${vector.length}`);
  return value;
}

export function row(data: Float32Array, index: number, width: number): Vector {
  if ((index + 1) * width > data.length) throw new RangeError(`row ${index}`);
  return Float64Array.from(data.subarray(index * width, (index + 1) * width));
}

export function add(a: Vector, b: Vector): Vector {
  return a.map((value, i) => value + at(b, i));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
  return sum;
}

export function multiply({ data, shape: [rows = 0, columns = 0] }: Float32Tensor, x: Vector): Vector {
  return Float64Array.from({ length: rows }, (_, i) => dot(data.subarray(i * columns, (i + 1) * columns), x));
}

export function rmsNorm(x: Vector, { data }: Float32Tensor, eps: number): Vector {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + eps);
  return x.map((value, i) => value * scale * at(data, i));
}

/** Rotary position embedding, halves rotated (arXiv 2104.09864), of each head. */
export function rotate(x: Vector, position: number, config: LlamaConfig): Vector {
  const width = config.hidden_size / config.num_attention_heads;
  return x.map((value, i) => {
    const inHead = i % width;
    const angle = position * config.rope_theta ** ((-2 * (inHead % (width / 2))) / width);
    const partner = inHead < width / 2 ? -at(x, i + width / 2) : at(x, i - width / 2);
    return value * Math.cos(angle) + partner * Math.sin(angle);
  });
}

/** Attention of one position to all so far; query heads share keys and values in groups. */
export function attend(
  query: Vector,
  keys: readonly Vector[],
  values: readonly Vector[],
  config: LlamaConfig,
): Vector {
  const width = config.hidden_size / config.num_attention_heads;
  const group = config.num_attention_heads / config.num_key_value_heads;
  const attended = new Float64Array(config.hidden_size);
  for (let head = 0; head < config.num_attention_heads; head++) {
    const from = Math.floor(head / group) * width;
    const q = query.subarray(head * width, (head + 1) * width);
    const scores = keys.map((key) => dot(q, key.subarray(from, from + width)) / Math.sqrt(width));
    const max = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - max));
    const total = weights.reduce((a, b) => a + b, 0);
    for (const [position, value] of values.entries()) {
      const share = at(weights, position) / total;
      for (let i = 0; i < width; i++) {
        const index = head * width + i;
        attended[index] = at(attended, index) + share * at(value, from + i);
      }
    }
  }
  return attended;
}
