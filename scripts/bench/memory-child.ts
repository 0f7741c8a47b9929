/**
 * One request with one image, watched from inside. A process of its own for each, started by memory.ts:
 *
 *   node --expose-gc scripts/bench/memory-child.ts photo.jpg collect|leave
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Engine } from '../../src/kernels/engine.ts';
import { NO_REQUEST } from '../../src/node.ts';
import { pipelineOnNode, PROMPT } from './pipeline.ts';
import { residentBytes } from './proc.ts';

export interface Sample {
  /** `process.memoryUsage().heapUsed`. */
  readonly heap: number;
  /** `external` less the kernels' memory: array buffers, the encoded file among them, and strings outside the heap. */
  readonly external: number;
  /** Pages of the kernels' WebAssembly memory. */
  readonly wasm: number;
  readonly total: number;
}

export interface MemoryReport {
  /** Before the pipeline was made, after a collection. */
  readonly idle: Sample;
  /** The sample with the highest total. */
  readonly peak: Sample;
  readonly samples: number;
  /** How far the resident set grew at its highest: all there is, garbage, compiled code and the allocator's slack. */
  readonly resident_growth: number;
}

const [path, mode] = process.argv.slice(2);
if (path === undefined || globalThis.gc === undefined) throw new Error('see the head of this file');
const collect = globalThis.gc;

let engine: Engine | undefined;
function sample(): Sample {
  if (mode === 'collect') collect();
  const { heapUsed: heap, external } = process.memoryUsage();
  const wasm = engine?.memory.size ?? 0;
  return { heap, external: external - wasm, wasm, total: heap + external };
}

const pipeline = pipelineOnNode({ onEngine: (made) => (engine = made) });

collect();
const idle = sample();
const residentIdle = residentBytes('self', 'VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // sets VmHWM back to VmRSS

const samples: Sample[] = [];
let running = true;
const watch = (): void => {
  samples.push(sample());
  if (running) setImmediate(watch); // at every turn of the event loop: between bands, blocks, shards, tokens
};
watch();
const image = { bytes: new Uint8Array(readFileSync(path)) };
await pipeline.ask({ image, prompt: PROMPT, generation: {}, ...NO_REQUEST });
running = false;

const peak = samples.reduce((most, next) => (next.total > most.total ? next : most));
const resident_growth = residentBytes('self', 'VmHWM') - residentIdle;
const report: MemoryReport = { idle, peak, samples: samples.length, resident_growth };
console.log(JSON.stringify(report));
