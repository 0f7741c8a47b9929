/**
 * Writes a model folder of the shape of HuggingFaceTB/SmolVLM-256M-Instruct, as published, with random
 * weights: 0.5 GB that cost no download. The same seed gives the same bytes.
 *
 *   node scripts/bench/random-checkpoint.ts --out <folder> [--seed 1] [--one-tile]
 *
 * --one-tile: the image processor does not split images: 512 pixels along the longer edge.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { fromUser } from '../cli/paths.ts';
import { runCommand } from '../cli/run-command.ts';
import { oneTilePreprocessorConfig, preprocessorConfig, smolVlmConfig } from './smolvlm/configs.ts';
import { writeCheckpoint } from './smolvlm/write-checkpoint.ts';

await runCommand({
  usage: 'node scripts/bench/random-checkpoint.ts --out <folder> [--seed 1] [--one-tile]',
  parse: (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string' },
        seed: { type: 'string', default: '1' },
        'one-tile': { type: 'boolean', default: false },
      },
    });
    if (values.out === undefined) throw new Error('Where to? --out <folder>');
    const preprocessor = values['one-tile'] ? oneTilePreprocessorConfig : preprocessorConfig;
    return { out: fromUser(values.out), seed: z.coerce.number().int().parse(values.seed), preprocessor };
  },
  run: ({ out, seed, preprocessor }) => writeCheckpoint(out, smolVlmConfig, seed, preprocessor),
});
