/** Describes photos and answers questions about them, and scores both against what people wrote. */
import { writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { createNodePipeline } from '../src/node.ts';
import { ensureKernels } from './cli/ensure-kernels.ts';
import { runCommand } from './cli/run-command.ts';
import { answerPhoto, type PhotoAnswers } from './eval/answers.ts';
import { EVAL_USAGE, parseEvalArguments, type EvalArguments } from './eval/arguments.ts';
import { readDataset, type Photo } from './eval/dataset.ts';
import { figuresOf, type Figures } from './eval/figures.ts';
import { readReference, tooLow } from './eval/reference.ts';

await runCommand({ usage: EVAL_USAGE, parse: parseEvalArguments, run: evaluate });

async function evaluate(args: EvalArguments): Promise<void> {
  const { data, goldens, num_beams, limit, out } = args;
  const photos = (await readDataset(data)).slice(0, limit);
  const reference = goldens === undefined ? undefined : await readReference(goldens);
  ensureKernels();

  const runs = await answerAll(photos, args);
  const results = Object.fromEntries(num_beams.map((n, i) => [decoding(n), figuresOf(runs[i] ?? [])]));
  printTable(reference ? { ...results, reference } : results);
  if (out !== undefined) await writeFile(out, jsonOf(args, photos.length, results, reference));

  const greedy = results[decoding(1)];
  if (greedy === undefined || reference === undefined) return;
  const low = tooLow(greedy, reference);
  if (low.length > 0) throw new Error(`Too far below the reference: ${low.join(', ')}.`);
}

/** By num_beams, then by photo. */
async function answerAll(
  photos: readonly Photo[],
  { bundle, num_beams }: EvalArguments,
): Promise<readonly (readonly PhotoAnswers[])[]> {
  const pipeline = createNodePipeline(bundle);
  const bar = new SingleBar({ format: '{bar} {value}/{total} photos, {eta_formatted} left' });
  bar.start(photos.length, 0);
  try {
    const runs: PhotoAnswers[][] = num_beams.map(() => []);
    for (const photo of photos) {
      for (const [i, n] of num_beams.entries()) runs[i]?.push(await answerPhoto(pipeline, photo, n));
      bar.increment();
    }
    return runs;
  } finally {
    bar.stop();
  }
}

function decoding(num_beams: number): string {
  return num_beams === 1 ? 'greedy' : `num_beams ${num_beams}`;
}

/** A row a figure, a column a way of decoding. */
function printTable(columns: Readonly<Record<string, Figures>>): void {
  const names = new Set(Object.values(columns).flatMap(Object.keys));
  const row = (name: string) =>
    Object.fromEntries(
      Object.entries(columns).flatMap(([title, figures]) =>
        name in figures ? [[title, figures[name]]] : [],
      ),
    );
  console.table(Object.fromEntries(Array.from(names, (name) => [name, row(name)])));
}

/** The figures and how to get them; nothing of the photos, and no path of this machine. */
function jsonOf(
  { num_beams, limit }: EvalArguments,
  photos: number,
  results: Readonly<Record<string, Figures>>,
  reference: Figures | undefined,
): string {
  const options = [
    '--data <folder>',
    ...(reference ? ['--goldens <folder>'] : []),
    ...num_beams.map((n) => `--num-beams ${n}`),
    ...(limit === undefined ? [] : [`--limit ${limit}`]),
  ];
  const command = `npm run eval -- ${options.join(' ')}`;
  return `${JSON.stringify({ command, photos, ...results, reference }, null, 2)}\n`;
}
