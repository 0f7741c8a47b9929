import type { LlamaConfig } from './config.ts';
import type { RopeScaling } from './rope-scaling.ts';

/** Angles by which a position turns, of every pair of a head, and what cosines and sines are multiplied by. */
export interface RopeFrequencies {
  readonly inv_freq: Float32Array; // [head_dim / 2]
  readonly attention_scaling: number;
}

type Scaled<Type extends RopeScaling['rope_type']> = Extract<RopeScaling, { rope_type: Type }>;

/** As transformers' modeling_rope_utils.py computes them. */
export function ropeFrequencies(config: LlamaConfig): RopeFrequencies {
  const { head_dim, rope_theta, rope_scaling: scaling, original_max_position_embeddings: context } = config;
  const plain = Float32Array.from({ length: head_dim / 2 }, (_, i) => rope_theta ** ((-2 * i) / head_dim));
  switch (scaling.rope_type) {
    case 'default':
    case 'dynamic':
      return { inv_freq: plain, attention_scaling: 1 };
    case 'linear':
      return { inv_freq: plain.map((freq) => freq / scaling.factor), attention_scaling: 1 };
    case 'llama3':
      return { inv_freq: plain.map((freq) => llama3(freq, scaling, context)), attention_scaling: 1 };
    case 'yarn': {
      const weight = yarnRamp(config, scaling);
      const inv_freq = plain.map((freq, i) => (freq / scaling.factor) * weight(i) + freq * (1 - weight(i)));
      return { inv_freq, attention_scaling: scaling.attention_factor ?? yarnAttentionFactor(scaling) };
    }
  }
}

/** Long waves are stretched, short ones are not, and between the two it goes smoothly (Llama 3.1). */
function llama3(freq: number, scaling: Scaled<'llama3'>, context: number): number {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  const waves = (context * freq) / (2 * Math.PI); // in the context that it was trained on
  const smooth = Math.min(1, Math.max(0, (waves - low) / (high - low)));
  return ((1 - smooth) * freq) / factor + smooth * freq;
}

/** How far each pair is interpolated, 0 to 1 (YaRN: Peng et al., 2023). */
function yarnRamp(
  { head_dim, rope_theta, original_max_position_embeddings: context }: LlamaConfig,
  { beta_fast, beta_slow, truncate }: Scaled<'yarn'>,
): (pair: number) => number {
  const pairOf = (rotations: number): number =>
    (head_dim * Math.log(context / (rotations * 2 * Math.PI))) / (2 * Math.log(rope_theta));
  const [fast, slow] = [pairOf(beta_fast ?? 32), pairOf(beta_slow ?? 1)];
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(truncate ? Math.ceil(slow) : slow, head_dim - 1);
  const width = low === high ? 0.001 : high - low;
  return (pair) => Math.min(1, Math.max(0, (pair - low) / width));
}

function yarnAttentionFactor({ factor, mscale, mscale_all_dim }: Scaled<'yarn'>): number {
  const scaleOf = (mscale: number): number => 0.1 * mscale * Math.log(factor) + 1;
  return mscale && mscale_all_dim ? scaleOf(mscale) / scaleOf(mscale_all_dim) : scaleOf(1);
}
