import { GlimpseError } from '../errors.ts';
import type { DualBundle, GenerativeBundle, LoadedBundle } from './loaded-bundle.ts';

/** @throws GlimpseError invalid_request for a dual encoder */
export function requireGenerative(bundle: LoadedBundle): GenerativeBundle {
  if (bundle.kind === 'generative') return bundle;
  throw new GlimpseError(
    'invalid_request',
    'This model is a dual encoder, which writes no text: it embeds images and texts (/v1/embeddings) and tells which of some labels an image is (/v1/classify). Send the request to one of these, or deploy a bundle that answers.',
  );
}

/** @throws GlimpseError invalid_value for a model that embeds no text */
export function requireDual(bundle: LoadedBundle): DualBundle {
  if (bundle.kind === 'dual') return bundle;
  throw new GlimpseError(
    'invalid_value',
    'input: this model embeds images only, no text: send a data URL or the sha256: handle of an image.',
    { param: 'input' },
  );
}
