import { basename, dirname } from 'node:path';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import type { Engine } from '../../src/kernels/engine.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import {
  cosine,
  divergence,
  greedy,
  relativeError,
  type GoldenCase,
  type Goldens,
} from '../../test/model/goldens.ts';

/** An engine beside the reference. */
export interface Comparison {
  readonly image_embeds: Agreement;
  readonly first_logits: Agreement;
  readonly partings: readonly Parting[];
}

/** Image by image, or case by case. */
export interface Agreement {
  readonly cosines: readonly number[];
  readonly relative_errors: readonly number[];
}

/** An answer that is not the reference's throughout. */
export interface Parting {
  readonly golden: GoldenCase;
  /** The first token that is another. */
  readonly step: number;
}

/** @param folder a bundle */
export async function compare(engine: Engine, folder: string, goldens: Goldens): Promise<Comparison> {
  const bundle = await openBundle(fileSource(dirname(folder)), basename(folder));
  const model = await createVisionLanguageModel(engine, bundle);
  const [encoder, decoder] = [await model.encoder(), await model.decoder()];

  const embeds = [];
  for (let image = 0; image < goldens.images; image++) {
    embeds.push(await encoder.encode(goldens.pixel_values(image)));
  }
  const answers = [];
  for (const golden of goldens.cases) {
    const image_embeds = embeds[golden.image];
    if (image_embeds === undefined) throw new Error(`The goldens have no image ${golden.image}.`);
    answers.push({ golden, ...(await greedy(decoder, image_embeds, golden)) });
  }
  return {
    image_embeds: agreement(embeds.map(({ data }, i) => [data, goldens.tensor(`${i}.image_embeds`)])),
    first_logits: agreement(
      answers.map(({ first_logits }, i) => [first_logits, goldens.tensor(`${i}.first_logits`)]),
    ),
    partings: answers.flatMap(({ golden, ids }) => {
      const step = divergence(ids, golden);
      return step === undefined ? [] : [{ golden, step }];
    }),
  };
}

function agreement(pairs: readonly (readonly [ours: Float32Array, theirs: Float32Array])[]): Agreement {
  return {
    cosines: pairs.map(([ours, theirs]) => cosine(ours, theirs)),
    relative_errors: pairs.map(([ours, theirs]) => relativeError(ours, theirs)),
  };
}
