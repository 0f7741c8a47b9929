import { expect, it } from 'vitest';
import { createGraph } from '../../scripts/onnx/graph-builder.ts';
import { labelEmbeds } from '../../scripts/onnx/label-graph.ts';
import { dequantised } from '../../scripts/onnx/weights.ts';
import type { Tensor } from '../../src/bundle/safetensors.ts';
import { glimpseConfigSchema } from '../../src/model/config.ts';
import { createLabelEmbeds } from '../../src/model/label-embeds.ts';
import { createNodeRuntime } from '../../src/onnx/node.ts';
import { floats } from '../../src/onnx/tensors.ts';
import { readBundle, randomNumbers } from '../text/fixtures.ts';

const HIDDEN = 32;
const VOCABULARY = 64;
const TOLD = {
  ...{ max_names: 2, tokens_per_name: 3, pad_token_id: 5, least_probability: 0.1 },
  names: [
    { name: 'dog', label_ids: [0, 1], input_ids: [10] },
    { name: 'wolf', label_ids: [2], input_ids: [20, 21] },
    { name: 'mug', label_ids: [3], input_ids: [30, 31, 32] },
  ],
};

const random = randomNumbers(1);
const numbers = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * (random() - 0.5));
const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(256 * random()));
const position = numbers(6 * HIDDEN);
const tensors = new Map<string, Tensor>();

function put(name: string, dtype: Tensor['dtype'], shape: number[], data: Uint8Array<ArrayBuffer>): void {
  tensors.set(name, { name, dtype, shape, data });
}
const asBytes = (values: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>) =>
  new Uint8Array(values.buffer);
const ONE = 0x3c00; // float16

// Classes are the first four features, as they are.
const identity = new Uint8Array(4 * 16).fill(0x88);
for (let i = 0; i < 4; i++) identity[16 * i + (i >> 1)] = i & 1 ? 0x98 : 0x89;
put('vision_tower.classifier.weight.q4', 'U8', [4, 16], identity);
put('vision_tower.classifier.weight.scale', 'F16', [4, 1], asBytes(new Uint16Array(4).fill(ONE)));
put('vision_tower.classifier.bias', 'F32', [4], asBytes(new Float32Array(4)));
const table = 'language_model.model.embed_tokens.weight';
put(`${table}.q4`, 'U8', [VOCABULARY, HIDDEN / 2], bytes((VOCABULARY * HIDDEN) / 2));
put(`${table}.scale`, 'F16', [VOCABULARY, 1], asBytes(new Uint16Array(VOCABULARY).fill(ONE)));
put('multi_modal_projector.label_position_embedding.weight', 'F32', [6, HIDDEN], asBytes(position));

it.each([
  ['two names', [0.3, 0.25, 0.05, 0.4]],
  ['one, and padding in the place of the other', [0.03, 0.02, 0.05, 0.9]],
  ['the likeliest of three', [0.2, 0.1, 0.34, 0.36]],
])('the exported rows are those of the kernels: %s', async (_, probabilities) => {
  const { vision_config, text_config, ...config } = readBundle('config.json') as Record<string, object>;
  const graph = createGraph();
  const parsed = glimpseConfigSchema.parse({
    ...config,
    id2label: Object.fromEntries(['kuvasz', 'beagle', 'timber wolf', 'mug'].map((label, i) => [i, label])),
    vision_config: { ...vision_config, head_width: 32 },
    text_config: { ...text_config, hidden_size: HIDDEN, vocab_size: VOCABULARY },
    label_names_config: TOLD,
  });
  const rows = labelEmbeds(graph, tensors, parsed, graph.input('pooled', [1, 32]));
  const runtime = createNodeRuntime();
  const session = await runtime.open(graph.encode({ rows }), []);
  const pooled = new Float32Array(32);
  probabilities.forEach((p, i) => (pooled[i] = Math.log(p)));
  const outputs = await session.run({ pooled: new runtime.Tensor('float32', pooled, [1, 32]) });

  const embeddings = dequantised(tensors, table);
  const lookUp = (ids: readonly number[]) =>
    Promise.resolve(
      Float32Array.from(ids.flatMap((id) => [...embeddings.subarray(id * HIDDEN, (id + 1) * HIDDEN)])),
    );
  const classifier = { labels: [], classify: (pooler_output: Float32Array) => pooler_output.slice(0, 4) };
  const ours = createLabelEmbeds(classifier, { rows: lookUp }, () => position, TOLD);
  expect(floats(outputs, 'rows')).toEqual(await ours(pooled));
});
