/**
 * One engine's first answer in a process of its own, started by peak-memory.ts:
 *
 *   node scripts/bench/models/child.ts glimpse|fp32|q4 photo.jpg <model folder>
 *
 * Prints how far the resident set grew at its highest, in bytes: the engine's code, its model, one answer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { residentBytes } from '../proc.ts';
import type { Rival } from './rival.ts';

const [kind, photo, folder] = process.argv.slice(2);
if (photo === undefined || folder === undefined) throw new Error('see the head of this file');

const idle = residentBytes('self', 'VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // sets VmHWM back to VmRSS
const rival = await open(folder);
await rival.ask(new Uint8Array(readFileSync(photo)));
console.log(residentBytes('self', 'VmHWM') - idle);

/** Imports no more than the one engine. */
async function open(folder: string): Promise<Rival> {
  if (kind === 'fp32' || kind === 'q4') {
    return (await import('./transformers-js.ts')).openTransformersJs(folder, kind);
  }
  const { benchedBundle } = await import('../pipeline.ts');
  const { openGlimpse } = await import('./glimpse.ts');
  return openGlimpse(benchedBundle(folder));
}
