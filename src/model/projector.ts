import * as z from 'zod';
import type { Engine } from '../kernels/engine.ts';
import type { Weights } from './weights.ts';

/** Features to the decoder's width by a two-layer MLP (LLaVA-1.5: Liu et al., 2023), the image's mean first. */
export const projectorConfigSchema = z.object({
  input_size: z.int().positive(),
  hidden_size: z.int().positive(),
  output_size: z.int().positive(),
  hidden_act: z.literal('gelu_pytorch_tanh'),
  rms_norm_eps: z.number().positive(),
  bias: z.literal(false),
  num_image_tokens: z.int().positive(),
  pooled_token: z.literal('first'),
});
export type ProjectorConfig = z.infer<typeof projectorConfigSchema>;

/** @returns image_embeds of one feature map [tokens, input_size], its own copy. // [tokens + 1, output_size] */
export type Projector = (features: number) => Float32Array;

export async function createProjector(
  engine: Engine,
  weights: Weights,
  config: ProjectorConfig,
): Promise<Projector> {
  const { memory, kernels, matmul } = engine;
  const { input_size, hidden_size, output_size, num_image_tokens: rows } = config;
  const norm = await weights.floats('multi_modal_projector.norm.weight', input_size);
  const linear1 = await weights.linear('multi_modal_projector.linear_1', input_size, hidden_size, false);
  const linear2 = await weights.linear('multi_modal_projector.linear_2', hidden_size, output_size, false);
  const position = await weights.floats(
    'multi_modal_projector.position_embedding.weight',
    rows * output_size,
  );
  const tokens = memory.alloc(4 * rows * input_size); // [rows, input_size]
  const hidden = memory.alloc(4 * rows * hidden_size);
  const output = memory.alloc(4 * rows * output_size);

  return (features) => {
    const patches = rows - 1;
    kernels.mean_pixels(features, tokens, patches, input_size);
    memory
      .u8(tokens + 4 * input_size, 4 * patches * input_size)
      .set(memory.u8(features, 4 * patches * input_size));
    kernels.rms_norm(tokens, norm, tokens, rows, input_size, config.rms_norm_eps);
    matmul(linear1, tokens, hidden, rows, { act: 'gelu_pytorch_tanh' });
    matmul(linear2, hidden, output, rows, { residual: position });
    return memory.f32(output, rows * output_size).slice();
  };
}
