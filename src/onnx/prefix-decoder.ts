import { GlimpseError } from '../errors.ts';
import type { Decoder, DecoderInput } from '../model/types.ts';
import { createDecoderGraph, type DecoderShape, type Extension } from './decoder-graph.ts';
import { ownPast } from './past-key-values.ts';
import type { Graph, Runtime, Tensor } from './runtime.ts';
import { integers } from './tensors.ts';

/** A decoder that reads embeddings, its tokens' and an image's: LLaVA's and Idefics3's. */
export function createPrefixDecoder(
  runtime: Runtime,
  embed_tokens: Graph,
  decoder: Graph,
  shape: DecoderShape,
): Decoder {
  const graph = createDecoderGraph(runtime, decoder, shape, ['inputs_embeds']);
  const hidden = widthOf(decoder);

  async function embed(input: DecoderInput): Promise<Tensor> {
    if ('inputs_embeds' in input) {
      const { inputs_embeds: data } = input;
      return new runtime.Tensor('float32', data, [1, data.length / hidden, hidden]);
    }
    const { input_ids } = input;
    const outputs = await embed_tokens.run({
      input_ids: integers(runtime, input_ids, [1, input_ids.length]),
    });
    const { inputs_embeds } = outputs;
    if (inputs_embeds === undefined) {
      throw new GlimpseError('bundle_invalid', 'embed_tokens gives no inputs_embeds.');
    }
    return inputs_embeds;
  }

  return {
    ...shape,
    bytes_per_position: graph.bytes_per_position,
    create: () => graph.create(),
    async forward(batch) {
      const extensions: Extension[] = [];
      for (const input of batch) {
        const inputs_embeds = await embed(input);
        extensions.push({ past: ownPast(input), own: { inputs_embeds }, rows: inputs_embeds.dims[1] ?? 0 });
      }
      return graph.extend(extensions);
    },
  };
}

function widthOf({ inputs }: Graph): number {
  const width = inputs.get('inputs_embeds')?.shape.at(-1);
  if (typeof width === 'number') return width;
  throw new GlimpseError('bundle_invalid', 'decoder_model_merged takes no inputs_embeds of a known width.');
}
