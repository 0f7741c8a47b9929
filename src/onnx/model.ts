import type { Bundle } from '../bundle/bundle.ts';
import { lazy } from '../lazy.ts';
import type { Decoder, ImageEncoder, VisionLanguageModel } from '../model/types.ts';
import type { CreateModel } from '../pipeline/loaded-bundle.ts';
import { readConfig, type OnnxConfig } from './config.ts';
import { createCrossAttentionDecoder } from './cross-attention-decoder.ts';
import { openGraph, requireGraphs } from './graphs.ts';
import { createImageEncoder } from './image-encoder.ts';
import { createPrefixDecoder } from './prefix-decoder.ts';
import type { Runtime } from './runtime.ts';

/** Of a prompt with images as its prefix: they fill the context soon. */
const MAX_IMAGES = 8;

/** A bundle in transformers.js' layout (scripts/import-onnx.ts), its graphs run by ONNX Runtime. */
export async function createOnnxModel(runtime: Runtime, bundle: Bundle): Promise<VisionLanguageModel> {
  requireGraphs(bundle);
  const config = readConfig(await bundle.json('config.json'), bundle.id);
  const encoder = lazy(() => loadEncoder(runtime, bundle, config));
  const decoder = lazy(() => loadDecoder(runtime, bundle, config));
  return {
    image_token_id: config.family === 'prefix' ? config.image_token_id : undefined,
    max_images: config.family === 'prefix' ? MAX_IMAGES : 1,
    ...config.decoder,
    get loaded() {
      return { vision: encoder.ready, text: decoder.ready };
    },
    encoder: () => encoder.get(),
    decoder: () => decoder.get(),
    classifier: undefined,
  };
}

/** What `loadBundle` takes. */
export function onnxModelsOn(runtime: Runtime): CreateModel {
  return async (bundle) => ({ model: await createOnnxModel(runtime, bundle), memory: runtime.memory });
}

async function loadEncoder(runtime: Runtime, bundle: Bundle, { family }: OnnxConfig): Promise<ImageEncoder> {
  return family === 'prefix'
    ? createImageEncoder(runtime, await openGraph(runtime, bundle, 'vision_encoder'), 'image_features')
    : createImageEncoder(runtime, await openGraph(runtime, bundle, 'encoder_model'), 'last_hidden_state');
}

async function loadDecoder(runtime: Runtime, bundle: Bundle, config: OnnxConfig): Promise<Decoder> {
  if (config.family === 'cross-attention') {
    const decoder = await openGraph(runtime, bundle, 'decoder_model_merged');
    return createCrossAttentionDecoder(runtime, decoder, config.hidden_size, config.decoder);
  }
  const embed_tokens = await openGraph(runtime, bundle, 'embed_tokens');
  const decoder = await openGraph(runtime, bundle, 'decoder_model_merged');
  return createPrefixDecoder(runtime, embed_tokens, decoder, config.decoder);
}
