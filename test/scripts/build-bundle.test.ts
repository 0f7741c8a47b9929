import { expect, it } from 'vitest';
import { run } from './command.ts';

const FILES = ['--weights', 'package.json', '--tokenizer', 'package.json', '--labels', 'package.json'];

it.each([
  ['nothing', [], 2, '--weights is missing.'],
  ['no labels', [...FILES.slice(0, 4), '--out', 'x'], 2, '--labels is missing.'],
  ['an unknown option', ['--wieghts', 'x'], 2, '--wieghts'],
  ['no tokenizer', [...FILES, '--out', 'x'], 1, 'tokenizer.json: '],
])('fails in words: %s', async (_, args, code, said) => {
  const ended = await run('build-bundle.ts', args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(said);
  expect(ended.stderr).not.toMatch(/^ +at |"code":/m);
});

it('shows its usage', async () => {
  const { code, stdout } = await run('build-bundle.ts', ['--help']);
  expect([code, stdout]).toEqual([0, expect.stringContaining('npm run bundle -- --weights')]);
});
