import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAskArguments } from '../../scripts/ask/arguments.ts';
import { run } from './command.ts';

interface Golden {
  readonly file: string;
  readonly prompt: string;
  readonly answer: string;
  readonly margins: readonly number[];
}
const { cases } = JSON.parse(readFileSync('test/fixtures/model/goldens.json', 'utf8')) as { cases: Golden[] };

describe('ask', () => {
  // Those that PyTorch is sure of throughout, one a photo.
  const sure = cases.filter(({ margins }) => margins.every((margin) => margin > 0.3));
  it.each([...new Map(sure.map((golden) => [golden.file, golden])).values()])(
    'answers as PyTorch: $file, $prompt',
    async ({ file, prompt, answer }) => {
      const ended = await run('ask.ts', [file, prompt], 'test/fixtures/photos');
      expect(ended).toEqual({ code: 0, stdout: `${answer}\n`, stderr: '' });
    },
  );

  it('tells the timings by stage on stderr', async () => {
    const args = ['rocket.jpg', 'Describe the image.', '--max-new-tokens', '3', '--verbose'];
    const { code, stdout, stderr } = await run('ask.ts', args, 'test/fixtures/photos');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    for (const stage of ['load', 'hash', 'image', 'vision', 'prefill', 'decode', 'total']) {
      expect(stderr).toMatch(new RegExp(`^${stage} +\\d+\\.\\d ms$`, 'm'));
    }
    expect(stderr).toContain('3 written, finish_reason length');
  });

  it.each([
    ['a photo that is not there', ['nowhere.jpg', 'What?'], 'nowhere.jpg'],
    ['a file that is no photo', ['README.md', 'What?'], 'Send a JPEG or a PNG'],
    ['a bundle that is not there', ['rocket.jpg', 'What?', '--bundle', 'nowhere'], 'manifest.json'],
    ['options at odds', ['rocket.jpg', 'What?', '--num-beams=2', '--top-k=5'], 'top_k'],
  ])('fails in words: %s', async (_, args, said) => {
    const { code, stdout, stderr } = await run('ask.ts', args, 'test/fixtures/photos');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it.each([
    ['no photo', [], 'There is no photo'],
    ['no prompt', ['rocket.jpg'], 'There is no prompt'],
    ['a prompt out of quotes', ['rocket.jpg', 'What', 'is', 'this?'], 'quotes'],
    ['an unknown option', ['rocket.jpg', 'What?', '--beams', '2'], '--beams'],
    ['a value out of range', ['rocket.jpg', 'What?', '--num-beams', '9'], 'num_beams'],
    ['a value of another type', ['rocket.jpg', 'What?', '--top-k', 'few'], 'top_k'],
    ['a value twice', ['rocket.jpg', 'What?', '--top-k', '1', '--top-k', '2'], 'top_k'],
  ])('shows its usage for wrong arguments: %s', async (_, args, said) => {
    const { code, stdout, stderr } = await run('ask.ts', args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
    expect(stderr).toContain('npm run --silent ask -- <photo> <prompt>');
  });
});

it('reads every generation option by its flag', () => {
  const flags =
    '--max-new-tokens 7 --do-sample --temperature 0.5 --top-k 3 --top-p 0.9 --min-p 0.1 --repetition-penalty 1.2 ' +
    '--seed 5 --num-beams 2 --length-penalty=-0.5 --early-stopping never --stop-strings and --stop-strings with';
  expect(parseAskArguments(['a.jpg', 'What?', ...flags.split(' ')]).generation).toEqual({
    max_new_tokens: 7,
    do_sample: true,
    temperature: 0.5,
    top_k: 3,
    top_p: 0.9,
    min_p: 0.1,
    repetition_penalty: 1.2,
    seed: 5,
    num_beams: 2,
    length_penalty: -0.5,
    early_stopping: 'never',
    stop_strings: ['and', 'with'],
  });
  expect(parseAskArguments(['a.jpg', 'What?', '--early-stopping', 'true']).generation).toEqual({
    early_stopping: true,
  });
});
