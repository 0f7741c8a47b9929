import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './command.ts';

// A photo of our own twice, laid out as the development photos are. Its first reference is what it is described as,
// so that the scores are known.
const captions = (description: string): string => `image,caption
a.jpg,${JSON.stringify(description)}
a.jpg,"A rocket , at night ."
b.jpg,too short
b.jpg,${JSON.stringify(description)}
`;
const QUESTIONS = `image,question,answer,kind
a.jpg,Is there a dog?,No.,yes-no
a.jpg,Is there a dog?,Yes.,yes-no
b.jpg,What color is the sky?,Plaid.,color
`;

let data = '';
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'glimpse-eval-'));
  await mkdir(join(data, 'dev'));
  for (const name of ['b.jpg', 'a.jpg']) await cp('test/fixtures/photos/rocket.jpg', join(data, 'dev', name));
  const { stdout } = await run('ask.ts', ['test/fixtures/photos/rocket.jpg', 'Describe the image.']);
  await writeFile(join(data, 'dev_captions.csv'), captions(stdout.trim()));
  await writeFile(join(data, 'dev_questions.csv'), QUESTIONS);
});
afterAll(() => rm(data, { recursive: true }));

async function reference(yes_no: number): Promise<string> {
  const dev = { captions: { b1: 99.6, b4: 100, rougeL: 0, cider: 0 }, questions: { 'yes-no': yes_no } };
  await writeFile(join(data, 'goldens.json'), JSON.stringify({ dev }));
  return data;
}

describe('eval', () => {
  it('scores descriptions and answers, and writes figures that name no path', async () => {
    const out = join(data, 'results.json');
    const args = ['--data', data, '--num-beams', '1', '--num-beams', '2', '--out', out];
    const { code, stdout } = await run('eval.ts', [...args, '--goldens', await reference(50.5)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/bleu_4 +│ 100 +│/);
    const written = await readFile(out, 'utf8');
    expect(written).not.toContain(data);
    expect(JSON.parse(written)).toMatchObject({
      command: 'npm run eval -- --data <folder> --goldens <folder> --num-beams 1 --num-beams 2',
      photos: 2,
      greedy: { bleu_1: 100, bleu_4: 100, rouge_l: 100, 'yes-no': 50, color: 0 },
      'num_beams 2': { 'yes-no': 50 },
      reference: { bleu_1: 99.6, 'yes-no': 50.5 },
    });
  });

  it('fails where greedy decoding is more than half a point below the reference', async () => {
    const { code, stderr } = await run('eval.ts', ['--data', data, '--goldens', await reference(50.6)]);
    expect(code).toBe(1);
    expect(stderr).toContain('Too far below the reference: yes-no.');
  });

  it.each([
    ['no photos', [], 'Give --data'],
    ['beams that are no number', ['--data', '.', '--num-beams', 'three'], '--num-beams'],
    ['a part against the whole', ['--data', '.', '--limit', '5', '--goldens', '.'], '--limit'],
  ])('shows its usage for wrong arguments: %s', async (_, args, said) => {
    const { code, stderr } = await run('eval.ts', args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).toContain('npm run eval -- --data <folder>');
  });
});
