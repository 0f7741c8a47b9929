/**
 * Measures Glimpse against onnxruntime-web and against its goals, in one run.
 *
 *   npm run bench                writes scripts/bench/results/latest.{json,md,svg}; some five minutes
 *   npm run bench -- --quick     few rounds, to see that it runs; prints and writes nothing
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBundle } from '../../src/bundle/bundle.ts';
import { fileSource } from '../../src/bundle/sources/file.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../src/image/preprocessor-config.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { createModel } from '../../src/model/create-model.ts';
import { benchDecoder } from './decoder.ts';
import { benchKernels } from './kernels.ts';
import { describeMachine, load } from './machine.ts';
import { benchMemory } from './memory.ts';
import { photo } from './photos.ts';
import { BUNDLE, BUNDLES } from './pipeline.ts';
import { plot } from './plot.ts';
import { engineOf } from './products.ts';
import { markdown, type Results } from './report.ts';
import { rounded, section } from './run.ts';
import { buildWorker } from './server.ts';
import { benchStages } from './stages.ts';
import { benchVision } from './vision.ts';
import { benchWorker } from './worker.ts';

const FULL = {
  kernels: { rounds: 15, slot_ms: 40, shapes: 6 },
  vision: { rounds: 25, slot_ms: 200 },
  decoder: { rounds: 15, slot_ms: 80 },
  worker: { starts: 7, many: 100 },
  images: 25,
};
const QUICK: typeof FULL = {
  kernels: { rounds: 3, slot_ms: 15, shapes: 2 },
  vision: { rounds: 3, slot_ms: 100 },
  decoder: { rounds: 3, slot_ms: 30 },
  worker: { starts: 1, many: 30 },
  images: 4,
};

process.chdir(join(import.meta.dirname, '../..'));
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const results = await measure(values.quick ? QUICK : FULL);
if (values.quick) {
  console.log(markdown(results));
} else {
  const folder = join(import.meta.dirname, 'results');
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(results, rounded, 2)}\n`);
  writeFileSync(join(folder, 'latest.md'), markdown(results));
  writeFileSync(join(folder, 'latest.svg'), plot(results));
  console.log(`Written to ${folder}`);
}

async function measure(options: typeof FULL): Promise<Results> {
  const before = load();
  const bundle = await openBundle(fileSource(BUNDLES), BUNDLE);
  const preprocessing = preprocessorConfigSchema.parse(await bundle.json('preprocessor_config.json'));
  const pixel_values = await preprocessImage(photo(640, 480), preprocessing, DEFAULT_LIMITS);
  const encoder = await (await createModel(engineOf('simd'), bundle)).encoder();
  const image_embeds = await encoder.encode(pixel_values);

  const kernels = await section('kernels', () => benchKernels(options.kernels));
  const vision = await section('vision', () => benchVision(bundle, pixel_values, options.vision));
  const decoder = await section('decoder', () => benchDecoder(bundle, image_embeds.data, options.decoder));
  const stages = await section('stages', () => benchStages(options.images));
  const folder = mkdtempSync(join(os.tmpdir(), 'glimpse-worker-'));
  const build = await section('build', () => buildWorker(folder));
  const worker = await section('worker', () => benchWorker(build, options.worker));
  const memory = await section('memory', () => benchMemory(build));
  rmSync(folder, { recursive: true });
  const upload = { bytes: build.bytes, gzip_bytes: build.gzip_bytes, assets_bytes: folderBytes(BUNDLES) };
  return {
    machine: describeMachine('npm run bench', [before, load()]),
    kernels,
    vision,
    decoder,
    upload,
    worker,
    stages,
    memory,
  };
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}
