/**
 * One decoder's first continuation in a process of its own, started by race.ts with a DecoderSetup as JSON:
 *
 *   node scripts/bench/models/decoders/child.ts <name> <setup>
 *
 * Prints how far the resident set grew at its highest, in bytes.
 */
import { writeFileSync } from 'node:fs';
import { residentBytes } from '../../proc.ts';
import { DECODERS, openDecoder, type DecoderSetup } from './open.ts';
import { ANSWER_TOKENS, PROMPT_IDS } from './prompt.ts';

const [wanted, setup] = process.argv.slice(2);
const name = DECODERS.find((name) => name === wanted);
if (name === undefined || setup === undefined) throw new Error('see the head of this file');

const idle = residentBytes('self', 'VmRSS');
writeFileSync('/proc/self/clear_refs', '5'); // sets VmHWM back to VmRSS
const decoder = await openDecoder(name, JSON.parse(setup) as DecoderSetup);
await decoder.continue(PROMPT_IDS, ANSWER_TOKENS);
console.log(residentBytes('self', 'VmHWM') - idle);
await decoder.release();
