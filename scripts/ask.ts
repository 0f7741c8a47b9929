/** Answers a prompt about a photo, through the Worker's pipeline on Node. */
import { readFile } from 'node:fs/promises';
import { createNodePipeline, NO_REQUEST } from '../src/node.ts';
import type { Answer } from '../src/pipeline/pipeline.ts';
import { ASK_USAGE, parseAskArguments, type AskArguments } from './ask/arguments.ts';
import { createProgressLine } from './ask/progress-line.ts';
import { ensureKernels } from './cli/ensure-kernels.ts';
import { runCommand } from './cli/run-command.ts';

await runCommand({ usage: ASK_USAGE, parse: parseAskArguments, run: ask });

async function ask({ photo, prompt, bundle, verbose, generation }: AskArguments): Promise<void> {
  const progress = createProgressLine(process.stderr);
  try {
    const bytes = await readPhoto(photo);
    progress.show('Compiling the kernels');
    ensureKernels();
    const pipeline = createNodePipeline(bundle, {
      onFetch: (file) => progress.show(`Loading ${file}`),
    });
    const answer = await pipeline.ask({ image: { bytes }, prompt, generation, ...NO_REQUEST });
    progress.clear();
    console.log(answer.answer);
    if (verbose) console.error(report(answer));
  } finally {
    progress.clear();
  }
}

async function readPhoto(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The photo cannot be read: ${why}`, { cause });
  }
}

function report({ timings, usage, finish_reason }: Answer): string {
  const stages = Object.entries(timings).map(
    ([stage, milliseconds]) => `${stage.padEnd(8)}${milliseconds.toFixed(1).padStart(8)} ms`,
  );
  const { prompt_tokens, completion_tokens } = usage;
  return [
    ...stages,
    `${prompt_tokens} tokens read, ${completion_tokens} written, finish_reason ${finish_reason}`,
  ].join('\n');
}
