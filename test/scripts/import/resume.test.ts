import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { smolVlmConfig } from '../../../scripts/bench/smolvlm/configs.ts';
import { writeCheckpoint } from '../../../scripts/bench/smolvlm/write-checkpoint.ts';
import { openBundle } from '../../../src/bundle/bundle.ts';
import { SHARD_LIMIT } from '../../../src/bundle/manifest.ts';
import { fileSource } from '../../../src/bundle/sources/file.ts';
import { run } from '../command.ts';
import { scratch } from './fixtures.ts';

/** Ten layers and ten shards and more, one of its tensors larger than a shard. */
const config = {
  ...smolVlmConfig,
  vision_config: { ...smolVlmConfig.vision_config, hidden_size: 192, intermediate_size: 768 },
  text_config: {
    ...smolVlmConfig.text_config,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 4,
  },
};

async function contents(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)),
  );
}

/** Runs an import until it has written some shards, and kills it. @returns when each shard was written */
async function killInTheMiddle(
  args: readonly string[],
  folder: string,
): Promise<ReadonlyMap<string, number>> {
  const child = spawn(process.execPath, ['scripts/import.ts', ...args]);
  const closed = new Promise((settle) => child.on('close', settle));
  const shards = async (): Promise<readonly string[]> =>
    (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.safetensors'));
  while ((await shards()).length < 3 && child.exitCode === null) await setTimeout(1);
  child.kill('SIGKILL');
  await closed;
  const written = await shards();
  return new Map(
    await Promise.all(written.map(async (name) => [name, await modified(folder, name)] as const)),
  );
}

async function modified(folder: string, name: string): Promise<number> {
  return (await stat(join(folder, name))).mtimeMs;
}

it('goes on where it was killed, and gives the same bytes', async () => {
  const [model, out] = [await scratch(), await scratch()];
  await writeCheckpoint(model, config, 1);
  const args = [model, '--id', 'model', '--out'];
  const whole = await run('import.ts', [...args, join(out, 'whole')]);
  expect(whole.code).toBe(0);

  const work = join(out, 'resumed.work/model/model');
  const before = await killInTheMiddle([...args, join(out, 'resumed')], work);
  expect(await readdir(out)).not.toContain('resumed');
  const [kept = '', damaged = ''] = [...before.keys()].sort();
  await writeFile(join(work, damaged), 'not what was written');

  const resumed = await run('import.ts', [...args, join(out, 'resumed')]);
  expect(resumed.code).toBe(0);
  const folder = join(out, 'resumed/model');
  expect(await modified(folder, kept)).toBe(before.get(kept));
  expect(await contents(folder)).toEqual(await contents(join(out, 'whole/model')));
  expect(resumed.stdout.replace('resumed', 'whole')).toBe(whole.stdout);
  // Without a terminal the progress is lines.
  expect(resumed.stderr).toMatch(/100%/);

  // An option that changes the weights begins anew, and leaves no shard of the old ones behind.
  const eightBit = await run('import.ts', [...args, join(out, 'resumed'), '--8bit', 'mlp', '--replace']);
  expect(eightBit.code).toBe(0);
  const bundle = await openBundle(fileSource(join(out, 'resumed')), 'model');
  const shards = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'));
  expect(shards.every((name) => bundle.has(name))).toBe(true);
  expect(shards.length).toBeGreaterThan(before.size);
});

it('cuts a layer larger than a shard by rows, which are the layer again one behind the other', async () => {
  const [model, out] = [await scratch(), await scratch()];
  await writeCheckpoint(model, config, 1);
  await run('import.ts', [model, '--id', 'model', '--out', out]);
  const bundle = await openBundle(fileSource(out), 'model');
  const pieces: { readonly name: string; readonly shape: readonly number[] }[] = [];
  for await (const { name, shape } of bundle.tensors(['language_model.lm_head'])) {
    pieces.push({ name, shape });
  }
  const values = pieces.filter(({ name }) => name.endsWith('.weight.q4'));
  expect(values.map(({ name }) => name)).toEqual([0, 1].map((i) => `language_model.lm_head.${i}.weight.q4`));
  expect(values.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0)).toBe(49_280);
  expect(values.every(({ shape }) => (shape[0] ?? 0) % 8 === 0)).toBe(true);
  const sizes = [...(await contents(join(out, 'model')))].filter(([name]) => name.endsWith('.safetensors'));
  expect(sizes.every(([, bytes]) => bytes.length <= SHARD_LIMIT)).toBe(true);
});
