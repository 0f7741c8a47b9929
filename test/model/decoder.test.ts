import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, type Tensor } from '../../src/bundle/safetensors.ts';
import { createEngine, type Engine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { llamaConfigSchema } from '../../src/model/llama/config.ts';
import { createLlama } from '../../src/model/llama/llama.ts';
import type { Decoder } from '../../src/model/types.ts';
import { createWeights } from '../../src/model/weights.ts';
import { withFloatActivations } from '../reference/float-matmul.ts';
import { withFloatWeights } from '../reference/float-weights.ts';
import { relativeError } from './goldens.ts';

/** What PyTorch makes of a prompt (make.py beside the files). */
interface Golden {
  readonly input_ids: readonly number[];
  readonly logits: readonly number[];
  readonly greedy_ids: readonly number[];
  /** By step: how far the best logit is above the second. */
  readonly margins: readonly number[];
}

interface Fixture {
  readonly config: object;
  readonly float?: readonly Golden[];
  readonly q4: readonly Golden[];
}

const folder = 'test/fixtures/decoder';
const LIMIT = 2 ** 26;
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.json') && file !== 'defaults.json')
  .map((file) => file.slice(0, -'.json'.length));

function readFixture(name: string): Fixture {
  return JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8')) as Fixture;
}

function tensorsOf(file: string): readonly Tensor[] {
  return readSafetensors(new Uint8Array(readFileSync(`${folder}/${file}`)), file);
}

async function* streamOf(tensors: readonly Tensor[]): AsyncGenerator<Tensor> {
  yield* await Promise.resolve(tensors);
}

/** The 4-bit decoder of a fixture. */
function createQ4(engine: Engine, name: string): Promise<Decoder> {
  const weights = createWeights(engine, streamOf(tensorsOf(`${name}.q4.safetensors`)));
  return createLlama(engine, weights, llamaConfigSchema.parse(readFixture(name).config));
}

interface Run {
  readonly logits: Float32Array;
  readonly greedy_ids: readonly number[];
}

/** All prompts in one batch, forked after their first half: logits behind them, and as many greedy ids as recorded. */
async function run(decoder: Decoder, goldens: readonly Golden[]): Promise<readonly Run[]> {
  const halves = goldens.map(({ input_ids }) => {
    const half = Math.ceil(input_ids.length / 2);
    return {
      past_key_values: decoder.create(8),
      head: input_ids.slice(0, half),
      tail: input_ids.slice(half),
    };
  });
  await decoder.forward(halves.map(({ past_key_values, head }) => ({ past_key_values, input_ids: head })));
  const forks = halves.map(({ past_key_values, tail }) => {
    const fork = past_key_values.fork();
    past_key_values.release();
    return { past_key_values: fork, input_ids: tail };
  });
  const first = await decoder.forward(forks);
  const ids = first.map((logits) => [argmax(logits)]);
  for (let step = 1; step < (goldens[0]?.greedy_ids.length ?? 0); step++) {
    const next = await decoder.forward(
      forks.map(({ past_key_values }, i) => ({ past_key_values, input_ids: ids[i]?.slice(-1) ?? [] })),
    );
    next.forEach((logits, i) => ids[i]?.push(argmax(logits)));
  }
  for (const { past_key_values } of forks) past_key_values.release();
  return first.map((logits, i) => ({ logits, greedy_ids: ids[i] ?? [] }));
}

function argmax(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}

/** Logits within a relative error; ids equal while PyTorch's best logit is above its second by the margin. */
async function expectGoldens(
  decoder: Decoder,
  goldens: readonly Golden[],
  tolerance: { readonly relative: number; readonly margin: number },
): Promise<void> {
  const runs = await run(decoder, goldens);
  for (const [i, { logits, greedy_ids, margins }] of goldens.entries()) {
    const actual = runs[i];
    expect(relativeError(actual?.logits ?? new Float32Array(), Float32Array.from(logits))).toBeLessThan(
      tolerance.relative,
    );
    const unsure = margins.findIndex((margin) => margin < tolerance.margin);
    const sure = greedy_ids.slice(0, unsure < 0 ? undefined : unsure);
    expect(actual?.greedy_ids.slice(0, sure.length)).toEqual(sure);
  }
}

const EXACT = { relative: 1e-5, margin: 0 };
/** What rounding activations to 8 bits costs rows as narrow as these: 1 to 5%. */
const ROUNDED = { relative: 0.06, margin: 0.3 };

describe.each(names)('%s is transformers', (name) => {
  const { q4 } = readFixture(name);

  it.each(['relaxed', 'simd'] as const)('in 4 bits, by the %s build', async (build) => {
    const decoder = await createQ4(createEngine(nodeKernelModules, LIMIT, [build]), name);
    await expectGoldens(decoder, q4, ROUNDED);
  });

  it('to 1e-5 where activations are not rounded', async () => {
    const decoder = await createQ4(withFloatActivations(createEngine(nodeKernelModules, LIMIT)), name);
    await expectGoldens(decoder, q4, EXACT);
  });
});

describe.each(names.filter((name) => readFixture(name).float))('%s is transformers', (name) => {
  it('to 1e-5 with float weights', async () => {
    const { float = [], config } = readFixture(name);
    const tensors = tensorsOf(`${name}.safetensors`);
    const { engine, weights } = withFloatWeights(createEngine(nodeKernelModules, LIMIT), tensors);
    const decoder = await createLlama(engine, weights, llamaConfigSchema.parse(config));
    await expectGoldens(decoder, float, EXACT);
  });
});

it('refuses embeddings in 8 bits, of which no row can be looked up', async () => {
  const name = 'language_model.model.embed_tokens';
  const tensors: readonly Tensor[] = [
    { name: `${name}.weight.q8`, dtype: 'I8', shape: [64, 32], data: new Uint8Array(64 * 32) },
    { name: `${name}.weight.scale`, dtype: 'F32', shape: [64], data: new Uint8Array(4 * 64) },
  ];
  const engine = createEngine(nodeKernelModules, LIMIT);
  const config = llamaConfigSchema.parse(readFixture('llama').config);
  const decoder = createLlama(engine, createWeights(engine, streamOf(tensors)), config);
  await expect(decoder).rejects.toMatchObject({
    code: 'bundle_invalid',
    message: expect.stringContaining(name) as string,
  });
});
