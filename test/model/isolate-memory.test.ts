import { expect, it } from 'vitest';
import { oneTilePreprocessorConfig, smolVlmConfig } from '../../scripts/bench/smolvlm/configs.ts';
import { fileEntry, indexOf, json, manifestOf } from '../../scripts/bundle/bundle-files.ts';
import { writeSafetensors } from '../../scripts/bundle/safetensors-writer.ts';
import { architectureOf } from '../../scripts/import/architectures/architecture-of.ts';
import { slotsOf } from '../../scripts/import/pieces.ts';
import { planBundle } from '../../scripts/import/plan.ts';
import { openBundle, type Bundle } from '../../src/bundle/bundle.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { ISOLATE_KERNELS_MEMORY } from '../../src/kernels/isolate.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';

const MEGABYTE = 1e6;

/** A bundle of SmolVLM-256M's shape with nothing but zeros in it, made as it is asked for. */
async function zeros(): Promise<Bundle> {
  const { shards } = planBundle(architectureOf(smolVlmConfig), []);
  const slots = new Map(shards.map(({ name, items }) => [name, items.flatMap(slotsOf)]));
  const shard = (name: string): Uint8Array<ArrayBuffer> => {
    const tensors = slots.get(name) ?? [];
    return writeSafetensors(tensors.map((slot) => ({ ...slot, data: new Uint8Array(slot.bytes) })));
  };
  const placed = [...slots].flatMap(([shard, all]) => all.map(({ name, bytes }) => ({ name, shard, bytes })));
  const small = new Map([
    ['config.json', json(smolVlmConfig)],
    ['preprocessor_config.json', json(oneTilePreprocessorConfig)],
    ['model.safetensors.index.json', json(indexOf(placed))],
  ]);
  const file = (name: string): Uint8Array<ArrayBuffer> => small.get(name) ?? shard(name);
  const entries: Record<string, Awaited<ReturnType<typeof fileEntry>>> = {};
  for (const name of [...small.keys(), ...slots.keys()]) entries[name] = await fileEntry(file(name));
  small.set('manifest.json', json(await manifestOf('zeros', entries)));
  const source: ShardSource = {
    fetch: (path) => Promise.resolve(new Blob([file(path.replace('zeros/', ''))]).stream()),
  };
  return openBundle(source, 'zeros');
}

it(
  'SmolVLM-256M sees an image beside its decoder within what an isolate leaves',
  { timeout: 300_000 },
  async () => {
    const { memory, ...engine } = createEngine(nodeKernelModules, ISOLATE_KERNELS_MEMORY);
    const model = await createVisionLanguageModel({ ...engine, memory }, await zeros());
    const encoder = await model.encoder();
    const pixel_values = {
      ...({ shape: [1, 3, 512, 512], grid: [0, 0] } as const),
      read: () => new Float32Array(3 * 512 * 512),
    };
    const { data } = await encoder.encode(pixel_values);
    expect(memory.size, 'the vision half alone').toBeLessThan(18 * MEGABYTE);

    const decoder = await model.decoder();
    const prefix = decoder.create(75);
    await decoder.forward([{ past_key_values: prefix, inputs_embeds: data }]);
    const answer = prefix.fork(84);
    await decoder.forward([{ past_key_values: answer, input_ids: [1, 2, 49_279] }]);
    answer.release();
    expect(memory.size, 'the decoder, a prefix and an answer').toBeLessThan(88 * MEGABYTE);

    await encoder.encode(pixel_values);
    expect(memory.size, 'a second image beside them').toBeLessThan(100 * MEGABYTE);
  },
);
