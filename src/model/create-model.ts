import * as z from 'zod';
import type { Bundle } from '../bundle/bundle.ts';
import { GlimpseError } from '../errors.ts';
import type { Engine } from '../kernels/engine.ts';
import type { CreateModel } from '../pipeline/loaded-bundle.ts';
import { glimpseConfigSchema } from './config.ts';
import { createClip } from './dual/clip.ts';
import { clipConfigSchema, siglipConfigSchema } from './dual/config.ts';
import { createSiglip } from './dual/siglip.ts';
import { createGlimpse } from './glimpse.ts';
import { createIdefics3, idefics3ConfigSchema } from './idefics3.ts';
import { createLlava, llavaConfigSchema } from './llava.ts';
import type { DualEncoder, VisionLanguageModel } from './types.ts';

const ARCHITECTURES = ['glimpse', 'idefics3', 'smolvlm', 'llava', 'clip', 'siglip'];

const configSchema = z.discriminatedUnion(
  'model_type',
  [glimpseConfigSchema, idefics3ConfigSchema, llavaConfigSchema, clipConfigSchema, siglipConfigSchema],
  {
    error: ({ input }) => {
      const { model_type } = Object(input) as { readonly model_type?: unknown };
      return `is ${JSON.stringify(model_type)}; what runs here is ${ARCHITECTURES.join(', ')}`;
    },
  },
);

/**
 * The model of a bundle, of the architecture that its config.json names in `model_type`. Loads no weights.
 * @throws bundle_invalid where there is no such architecture here, or one configured as it is not built here
 */
export async function createModel(
  engine: Engine,
  bundle: Bundle,
): Promise<VisionLanguageModel | DualEncoder> {
  if (bundle.files.some((name) => name.endsWith('.onnx'))) {
    const why =
      'holds ONNX graphs: `npm run dev:onnx` and `npm run deploy:onnx` start the Worker that runs it';
    throw new GlimpseError('bundle_invalid', `The model bundle "${bundle.id}" ${why}.`);
  }
  const parsed = configSchema.safeParse(await bundle.json('config.json'));
  if (!parsed.success) {
    throw new GlimpseError('bundle_invalid', `config.json of ${bundle.id}: ${z.prettifyError(parsed.error)}`);
  }
  const config = parsed.data;
  switch (config.model_type) {
    case 'glimpse':
      return createGlimpse(engine, bundle, config);
    case 'idefics3':
    case 'smolvlm':
      return createIdefics3(engine, bundle, config);
    case 'llava':
      return createLlava(engine, bundle, config);
    case 'clip':
      return createClip(engine, bundle, config);
    case 'siglip':
      return createSiglip(engine, bundle, config);
  }
}

/** Models that the kernels run, each on an engine of its own: what `loadBundle` takes. */
export function modelsOn(engine: () => Engine): CreateModel {
  return async (bundle) => {
    const kernels = engine();
    return { model: await createModel(kernels, bundle), memory: kernels.memory };
  };
}

/** @throws bundle_invalid for a dual encoder too */
export async function createVisionLanguageModel(
  engine: Engine,
  bundle: Bundle,
): Promise<VisionLanguageModel> {
  const model = await createModel(engine, bundle);
  if ('decoder' in model) return model;
  throw new GlimpseError('bundle_invalid', `${bundle.id} is a dual encoder: it has no decoder.`);
}
