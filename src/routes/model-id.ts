import * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

export const modelId = z
  .string()
  .meta({ description: "The bundle's id, as GET /v1/models tells it.", example: 'glimpse-10m' });

/** @throws GlimpseError model_not_found for any model but the one there is */
export function requireModel(asked: string, { model }: Pipeline): void {
  if (asked === model) return;
  throw new GlimpseError('model_not_found', `The model ${asked} does not exist: there is ${model}.`, {
    param: 'model',
  });
}
