import { createHash } from 'node:crypto';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run, type Ended } from '../command.ts';

const COMMANDS = [
  {
    script: 'import.ts',
    fixture: 'test/fixtures/import/smolvlm',
    other: 'test/fixtures/import/clip',
    weights: 'model.safetensors',
  },
  {
    script: 'import-onnx.ts',
    fixture: 'test/fixtures/onnx/tiny-llava',
    other: 'test/fixtures/onnx/tiny-smolvlm',
    weights: 'onnx/decoder_model_merged.onnx',
  },
] as const;

let around: string;
let out: string;
beforeEach(async () => {
  around = await mkdtemp(join(tmpdir(), 'glimpse-target-'));
  out = join(around, 'bundles');
});
afterEach(() => rm(around, { recursive: true }));

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Every file under a folder, with its digest. */
async function contents(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async (file) => [file, sha256(await readFile(file))] as const)),
  );
}

describe.each(COMMANDS)('$script', ({ script, fixture, other, weights }) => {
  const importOf = (folder: string, ...options: readonly string[]): Promise<Ended> =>
    run(script, [folder, '--out', out, '--id', 'model', ...options]);

  /** Fails, and leaves everything as it was. */
  async function refuses(command: () => Promise<Ended>, ...said: readonly string[]): Promise<void> {
    const before = await contents(around);
    const { code, stderr } = await command();
    expect(code).toBeGreaterThan(0);
    for (const words of said) expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(await contents(around)).toEqual(before);
  }

  it.each(['', '.', '..', '../bundles', 'a/b'])('--id %j is no name', async (id) => {
    await mkdir(join(out, 'model'), { recursive: true });
    await writeFile(join(out, 'model/notes.txt'), 'mine');
    await refuses(() => run(script, [fixture, '--out', out, '--id', id]), 'use letters, digits');
  });

  it('spares the model that it imports, by whatever name', async () => {
    await cp(fixture, join(out, 'model'), { recursive: true });
    await symlink(join(out, 'model'), join(around, 'link'));
    await refuses(() => importOf(join(out, 'model'), '--replace'), "the model's own folder");
    await refuses(() => importOf(join(around, 'link'), '--replace'), 'another --id');
  });

  it('spares files of no bundle', async () => {
    expect(await importOf(fixture)).toMatchObject({ code: 0 });
    await writeFile(join(out, 'model/notes.txt'), 'mine');
    await refuses(() => importOf(fixture, '--replace'), 'move notes.txt elsewhere');
  });

  it('replaces another bundle when it is told to, and the same one untold', async () => {
    expect(await importOf(other)).toMatchObject({ code: 0 });
    await refuses(() => importOf(fixture), '--replace');
    expect(await importOf(fixture, '--replace')).toMatchObject({ code: 0 });
    const whole = await contents(around);
    expect(await importOf(fixture)).toMatchObject({ code: 0 });
    expect(await contents(around)).toEqual(whole);
  });

  it('spares a bundle where the import in its place fails', async () => {
    expect(await importOf(other)).toMatchObject({ code: 0 });
    const folder = join(around, 'model');
    await cp(fixture, folder, { recursive: true });
    await truncate(join(folder, weights), 1000);
    await refuses(() => importOf(folder, '--replace'), weights.replace('onnx/', ''));
    await rename(join(folder, 'tokenizer.json'), join(folder, 'tokens.json'));
    await refuses(() => importOf(folder, '--replace'), '');
  });
});

it('import.ts tells no model from its weights alone before it has them: they wait for --replace', async () => {
  const [first, second] = [join(around, 'first'), join(around, 'second')];
  await cp('test/fixtures/import/clip', first, { recursive: true });
  await cp(first, second, { recursive: true });
  const file = await readFile(join(second, 'model.safetensors'));
  await writeFile(join(second, 'model.safetensors'), file.fill(0, file.length - 64));
  const importOf = (...args: readonly string[]): Promise<Ended> =>
    run('import.ts', [...args, '--out', out, '--id', 'model']);

  expect(await importOf(first)).toMatchObject({ code: 0 });
  const bundle = await contents(out);
  const refused = await importOf(second);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--replace')]);
  expect(await contents(out)).toEqual(bundle);
  expect(await importOf(second, '--replace')).toMatchObject({ code: 0 });
  expect(await contents(out)).not.toEqual(bundle);
  expect(await readdir(around)).not.toContain('bundles.work');
});
