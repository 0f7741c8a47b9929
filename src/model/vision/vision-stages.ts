import type { Bundle } from '../../bundle/bundle.ts';
import type { Engine } from '../../kernels/engine.ts';
import { residentStages, streamedStages, type Stages } from '../stage.ts';
import type { VisionTransformerConfig } from './transformer-config.ts';

/**
 * A vision tower up to this size stays in memory as the decoder does. A larger one (SmolVLM-256M's: 48 MB) would
 * not fit an isolate beside its text half, and answers about an image that is known do not need it: its layers are
 * fetched for each image, used one by one and let go.
 */
const RESIDENT_BYTES = 16 * 2 ** 20;

export function visionStages(engine: Engine, bundle: Bundle, config: VisionTransformerConfig): Stages {
  return (isStreamed(config) ? streamedStages : residentStages)(engine, bundle);
}

export function isStreamed(config: VisionTransformerConfig): boolean {
  return weightBytes(config) > RESIDENT_BYTES;
}

/** Of the tower's 4-bit weights, scales included; norms, biases and positions are small beside them. */
function weightBytes(config: VisionTransformerConfig): number {
  const { hidden_size, intermediate_size, num_hidden_layers } = config;
  return (num_hidden_layers * (4 * hidden_size ** 2 + 2 * hidden_size * intermediate_size) * 18) / 32;
}
