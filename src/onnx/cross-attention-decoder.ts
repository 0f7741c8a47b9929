import type { Decoder } from '../model/types.ts';
import { createDecoderGraph, type DecoderShape, type Extension } from './decoder-graph.ts';
import { ownPast, type TensorPastKeyValues } from './past-key-values.ts';
import type { Graph, Runtime } from './runtime.ts';
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

  function readImage(past: TensorPastKeyValues, data: Float32Array): void {
    if (past.length > 0) throw new TypeError('an image comes before the first token');
    past.encoder_hidden_states = new runtime.Tensor('float32', data, [
      1,
      data.length / hidden_size,
      hidden_size,
    ]);
  }

  function extension(past: TensorPastKeyValues, input_ids: readonly number[]): Extension {
    const { encoder_hidden_states } = past;
    if (encoder_hidden_states === undefined) throw new TypeError('a sequence begins with its image');
    const own = {
      input_ids: integers(runtime, input_ids, [1, input_ids.length]),
      // A graph that keeps the encoder's keys and values may need it no more.
      ...(decoder.inputs.has('encoder_hidden_states') ? { encoder_hidden_states } : {}),
    };
    return { past, own, rows: input_ids.length };
  }

  return {
    ...shape,
    bytes_per_position: graph.bytes_per_position,
    create: () => graph.create(),
    async forward(batch) {
      const tokens: Extension[] = [];
      for (const input of batch) {
        const past = ownPast(input);
        if ('inputs_embeds' in input) readImage(past, input.inputs_embeds);
        else tokens.push(extension(past, input.input_ids));
      }
      const logits = await graph.extend(tokens);
      let next = 0;
      // No position that anything follows comes of an image.
      return batch.map((input) =>
        'inputs_embeds' in input
          ? new Float32Array(shape.vocab_size)
          : (logits[next++] ?? new Float32Array(0)),
      );
    },
  };
}
