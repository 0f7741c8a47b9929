import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from './files.ts';
import type { DecoderRival } from './rival.ts';

/** A package of its own, so that `npm ci` does not bring 85 MB to those who measure nothing. */
const PACKAGE = join(import.meta.dirname, '../../llama-cpp');
const LIBRARY = join(PACKAGE, 'node_modules/node-llama-cpp/dist/index.js');

/** What is used of node-llama-cpp, whose types are not there before it is installed. */
interface NodeLlamaCpp {
  readonly getLlama: (options: object) => Promise<Library>;
}
interface Library {
  loadModel(options: { readonly modelPath: string }): Promise<Model>;
}
interface Model {
  createContext(options: object): Promise<Context>;
  dispose(): Promise<void>;
}
interface Context {
  getSequence(): Sequence;
  printTimings(): Promise<void>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(ids: readonly number[], options: object): AsyncIterable<number>;
  evaluateWithMetadata(
    ids: readonly number[],
    metadata: { readonly probabilities: true },
    options: object,
  ): AsyncIterable<{ readonly probabilities: ReadonlyMap<number, number> }>;
}

/**
 * Installs the build for a CPU alone: the packages for GPUs are node-llama-cpp's optional dependencies. By the
 * lock, but not by `npm ci`, which refuses a lock that does not list those of other platforms.
 */
function installLlamaCpp(): void {
  if (existsSync(LIBRARY)) return;
  execFileSync(
    'npm',
    ['install', '--no-save', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd: PACKAGE,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
}

/** What llama.cpp has said since it was last asked. */
let log = '';
const logger = (_level: string, line: string): void => void (log += `${line}\n`);

/** One for all models: a second one would not log to us. */
let library: Promise<Library> | undefined;

async function loadLibrary(): Promise<Library> {
  installLlamaCpp();
  const { getLlama } = (await import(LIBRARY)) as NodeLlamaCpp;
  return getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: 'info', logger });
}

/**
 * llama.cpp's own build for this CPU (Linux on x86-64). Times are by llama.cpp's clock, which runs in its passes
 * alone: neither Node's part of a token nor the choice of the next counts against it.
 * @param folder with a decoder written as GGUF
 */
export async function openLlamaCpp(folder: string, positions: number): Promise<DecoderRival> {
  const model = await (
    await (library ??= loadLibrary())
  ).loadModel({
    modelPath: join(folder, FILES.gguf),
  });
  const context = await model.createContext({
    ...{ contextSize: positions, batchSize: positions, sequences: 1, threads: 1 },
    performanceTracking: true,
  });
  const sequence = context.getSequence();

  async function timings(): Promise<{ readonly prompt: number; readonly token: number }> {
    log = '';
    await context.printTimings(); // and sets them back
    while (!log.includes('total time')) await new Promise(setImmediate); // lines come from another thread
    const prompt = /prompt eval time = +([\d.]+) ms/.exec(log)?.[1];
    const [, total, runs] = /: +eval time = +([\d.]+) ms \/ +(\d+) runs/.exec(log) ?? [];
    return { prompt: Number(prompt), token: Number(total) / Number(runs) };
  }
  return {
    async continue(input_ids, count) {
      await sequence.clearHistory();
      await timings();
      const ids: number[] = [];
      for await (const id of sequence.evaluate(input_ids, { temperature: 0, yieldEogToken: true })) {
        if (ids.push(id) === count) break;
      }
      const { prompt, token } = await timings();
      return { first_token_ms: prompt, token_ms: token, ids };
    },
    async logits(input_ids) {
      await sequence.clearHistory();
      const all = { temperature: 1, topK: 0, topP: 1, minP: 0, yieldEogToken: true };
      const results = sequence.evaluateWithMetadata(input_ids, { probabilities: true }, all);
      for await (const { probabilities } of results) {
        const logits = new Float32Array(probabilities.size);
        for (const [id, probability] of probabilities) logits[id] = Math.log(probability);
        return logits;
      }
      throw new Error('llama.cpp gave no token');
    },
    release: () => model.dispose(),
  };
}
