import { GlimpseError } from '../errors.ts';
import type { Linear } from '../kernels/engine.ts';

/**
 * The layer, if it is as wide as the configuration says.
 * @throws bundle_invalid
 */
export function requireFeatures(name: string, layer: Linear, inputs: number, outputs: number): Linear {
  if (layer.in_features !== inputs || layer.out_features !== outputs) {
    throw new GlimpseError(
      'bundle_invalid',
      `The bundle's ${name} takes ${layer.in_features} to ${layer.out_features} features; config.json asks for ${inputs} to ${outputs}.`,
    );
  }
  return layer;
}
