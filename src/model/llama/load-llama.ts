import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { loadPart } from '../load-part.ts';
import { EMBED_TOKENS, type TokenEmbedding } from '../token-embedding.ts';
import type { Decoder } from '../types.ts';
import type { LlamaConfig } from './config.ts';
import { createLlama } from './llama.ts';
import { createStreamedEmbedding } from './streamed-embedding.ts';
import { streamsEmbedding } from './weight-bytes.ts';

const OTHERS = ['language_model.model.layers', 'language_model.model.norm', 'language_model.lm_head'];

/**
 * A bundle's decoder, but for token embeddings that are read by the row: these stay where they lie.
 * @param shared token embeddings that another part of the model has loaded
 */
export function loadLlama(
  engine: Engine,
  bundle: Bundle,
  config: LlamaConfig,
  shared?: TokenEmbedding,
): Promise<Decoder> {
  const streamed = !shared && streamsEmbedding(config, engine.memory.limit);
  const embed_tokens = streamed ? createStreamedEmbedding(bundle, EMBED_TOKENS, config) : shared;
  return loadPart(engine, bundle, embed_tokens ? OTHERS : ['language_model'], (weights) =>
    createLlama(engine, weights, config, embed_tokens),
  );
}
