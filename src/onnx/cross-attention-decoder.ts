import type { Decoder, DecoderInput } from '../model/types.ts';
import { createDecoderGraph, type DecoderShape } from './decoder-graph.ts';
import { ownPast } from './past-key-values.ts';
import type { Feeds, Graph, Runtime } from './runtime.ts';
import { integers } from './tensors.ts';

/**
 * A decoder that reads tokens, and an image by cross attention: ViT-GPT2's, Donut's, TrOCR's. `inputs_embeds`
 * are the image's, before the first token.
 * @param hidden_size of the encoder
 */
export function createCrossAttentionDecoder(
  runtime: Runtime,
  decoder: Graph,
  hidden_size: number,
  shape: DecoderShape,
): Decoder {
  const graph = createDecoderGraph(runtime, decoder, shape, ['input_ids', 'encoder_hidden_states']);

  async function extend(input: DecoderInput): Promise<Float32Array> {
    const past = ownPast(input);
    if ('inputs_embeds' in input) {
      const { inputs_embeds: data } = input;
      if (past.length > 0) throw new TypeError('an image comes before the first token');
      const dims = [1, data.length / hidden_size, hidden_size];
      past.encoder_hidden_states = new runtime.Tensor('float32', data, dims);
      return new Float32Array(shape.vocab_size); // no position yet that anything follows
    }
    const { encoder_hidden_states } = past;
    if (encoder_hidden_states === undefined) throw new TypeError('a sequence begins with its image');
    const { input_ids } = input;
    const feeds: Feeds = {
      input_ids: integers(runtime, input_ids, [1, input_ids.length]),
      // A graph that keeps the encoder's keys and values may need it no more.
      ...(decoder.inputs.has('encoder_hidden_states') ? { encoder_hidden_states } : {}),
    };
    return graph.extend(past, feeds, input_ids.length);
  }

  return {
    ...shape,
    bytes_per_position: graph.bytes_per_position,
    create: () => graph.create(),
    async forward(batch) {
      const logits: Float32Array[] = [];
      for (const input of batch) logits.push(await extend(input)); // one by one: see prefix-decoder.ts
      return logits;
    },
  };
}
