import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { loadPart } from '../load-part.ts';
import type { Decoder } from '../types.ts';
import type { LlamaConfig } from './config.ts';
import { createLlama } from './llama.ts';
import { createStreamedEmbedding } from './streamed-embedding.ts';
import { streamsEmbedding } from './weight-bytes.ts';

/** A bundle's decoder, but for token embeddings that are read by the row: these stay where they lie. */
export function loadLlama(engine: Engine, bundle: Bundle, config: LlamaConfig): Promise<Decoder> {
  if (!streamsEmbedding(config, engine.memory.limit)) {
    return loadPart(engine, bundle, ['language_model'], (weights) => createLlama(engine, weights, config));
  }
  const embed_tokens = createStreamedEmbedding(bundle, 'language_model.model.embed_tokens', config);
  const others = ['language_model.model.layers', 'language_model.model.norm', 'language_model.lm_head'];
  return loadPart(engine, bundle, others, (weights) => createLlama(engine, weights, config, embed_tokens));
}
