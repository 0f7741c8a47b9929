import type { Tensor } from '../../src/bundle/safetensors.ts';
import type { GlimpseConfig } from '../../src/model/config.ts';
import { EMBED_TOKENS } from '../../src/model/token-embedding.ts';
import { labelRows, nameTokens } from '../../src/model/vision/label-names.ts';
import type { Graph } from './graph-builder.ts';
import { asFloats, dequantised, tensorOf, transposed } from './weights.ts';

/**
 * The rows that tell names (src/model/label-embeds.ts), as part of a graph in float32.
 * @param pooled the features' mean // [1, head_width]
 * @returns rows // [labelRows, hidden]
 */
export function labelEmbeds(
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  { id2label = {}, label_names_config: told, vision_config, text_config }: GlimpseConfig,
  pooled: string,
): string {
  if (told === undefined) throw new Error('the bundle tells no names');
  const [labels, features] = [Object.keys(id2label).length, vision_config.head_width];
  const ints = (values: readonly number[], dims: readonly number[]): string =>
    graph.constant(BigInt64Array.from(values, BigInt), dims);

  const classifier = dequantised(tensors, 'vision_tower.classifier.weight');
  const logits = graph.node('Gemm', [
    ...[pooled, graph.constant(transposed(classifier, labels, features), [features, labels])],
    graph.constant(asFloats(tensorOf(tensors, 'vision_tower.classifier.bias')), [labels]),
  ]);
  const isOf = new Float32Array(labels * told.names.length);
  told.names.forEach(({ label_ids }, name) => {
    for (const id of label_ids) isOf[id * told.names.length + name] = 1;
  });
  const probabilities = graph.node('MatMul', [
    graph.node('Softmax', [logits], { axis: { i: 1 } }),
    graph.constant(isOf, [labels, told.names.length]),
  ]);
  const [likeliest = '', name = ''] = graph.nodes(2, 'TopK', [probabilities, ints([told.max_names], [1])]); // [1, max_names]
  const least = graph.constant(Float32Array.of(told.least_probability), []);
  const isTold = graph.node('GreaterOrEqual', [likeliest, least]);
  // Behind the names' tokens a row of padding, for a place that is not taken.
  const slot = graph.node('Where', [isTold, name, ints([told.names.length], [])]);
  const one = { ...told, max_names: 1 };
  const tokens = [...told.names.map((name) => [name]), []].map((names) => nameTokens(names, one));
  const tokenTable = ints(tokens.flat(), [tokens.length, told.tokens_per_name]);
  const input_ids = graph.node('Reshape', [graph.node('Gather', [tokenTable, slot]), ints([-1], [1])]);
  const { vocab_size, hidden_size } = text_config;
  const table = graph.constant(dequantised(tensors, `${EMBED_TOKENS}.weight`), [vocab_size, hidden_size]);
  const positions = asFloats(tensorOf(tensors, 'multi_modal_projector.label_position_embedding.weight'));
  return graph.node('Add', [
    graph.node('Gather', [table, input_ids]),
    graph.constant(positions, [labelRows(told), hidden_size]),
  ]);
}
