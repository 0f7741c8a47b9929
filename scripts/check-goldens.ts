/** Holds the engine to the goldens of the PyTorch reference, as it is and with activations that are not rounded. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/kernels/engine.ts';
import { nodeKernelModules } from '../src/kernels/modules-node.ts';
import { readGoldens } from '../test/model/goldens.ts';
import { withFloatActivations } from '../test/reference/float-matmul.ts';
import { ensureKernels } from './cli/ensure-kernels.ts';
import { fromUser, ROOT } from './cli/paths.ts';
import { runCommand } from './cli/run-command.ts';
import { compare, type Comparison } from './goldens/compare.ts';
import { failuresOf, partingInWords } from './goldens/judge.ts';

const MEMORY = 2 ** 28;

const USAGE = `npm run goldens -- --goldens <folder> [options]

  --goldens <folder>  goldens.json and goldens.safetensors
  --bundle <folder>   the model (default: model-shards/glimpse-10m)`;

interface GoldensArguments {
  readonly goldens: string;
  readonly bundle: string;
}

await runCommand({ usage: USAGE, parse, run: check });

function parse(args: readonly string[]): GoldensArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      goldens: { type: 'string' },
      bundle: { type: 'string', default: join(ROOT, 'model-shards/glimpse-10m') },
    },
  });
  if (values.goldens === undefined) throw new Error('Where are the goldens? Give --goldens.');
  return { goldens: fromUser(values.goldens), bundle: fromUser(values.bundle) };
}

async function check({ goldens: folder, bundle }: GoldensArguments): Promise<void> {
  ensureKernels();
  const goldens = readGoldens(folder);
  const engine = () => createEngine(nodeKernelModules, MEMORY);
  const ours = await compare(engine(), bundle, goldens);
  const float = await compare(withFloatActivations(engine()), bundle, goldens);

  const [left, right] = [summary(ours), summary(float)];
  const rows = Object.entries(left).map(([name, value]) => {
    return [name, { '8-bit activations': value, 'float activations': right[name] }] as const;
  });
  console.table(Object.fromEntries(rows));
  for (const parting of ours.partings) console.log(`8-bit activations, ${partingInWords(parting)}`);
  for (const parting of float.partings) console.log(`float activations, ${partingInWords(parting)}`);

  const failures = failuresOf(ours, float);
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

function summary({ image_embeds, first_logits, partings }: Comparison): Readonly<Record<string, number>> {
  const cases = first_logits.cosines.length;
  const figures = {
    'image_embeds: least cosine': Math.min(...image_embeds.cosines),
    'image_embeds: mean cosine': mean(image_embeds.cosines),
    'image_embeds: largest relative error': Math.max(...image_embeds.relative_errors),
    'first logits: least cosine': Math.min(...first_logits.cosines),
    'first logits: mean cosine': mean(first_logits.cosines),
    'first logits: largest relative error': Math.max(...first_logits.relative_errors),
    [`answers identical, of ${cases}`]: cases - partings.length,
  };
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(6))]),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
