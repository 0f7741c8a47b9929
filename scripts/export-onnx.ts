/**
 * Writes a bundle of the default architecture, of Idefics3's or of SmolVLM's as a model folder in transformers.js' layout.
 *
 *   npm run export:onnx -- --out <folder> [--id glimpse-10m]
 */
import { parseArgs } from 'node:util';
import { fromUser } from './cli/paths.ts';
import { runCommand } from './cli/run-command.ts';
import { exportFolder } from './onnx/export-folder.ts';

await runCommand({
  usage: `npm run export:onnx -- --out <folder> [--id glimpse-10m] [--from model-shards]

  --out     the folder to write: config.json, tokenizer.json, onnx/... as transformers.js reads them
  --id      the bundle: of the default architecture, Idefics3's or SmolVLM's
  --from    where bundles lie`,
  parse(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string' },
        id: { type: 'string', default: 'glimpse-10m' },
        from: { type: 'string', default: 'model-shards' },
      },
    });
    if (values.out === undefined) throw new Error('Say where to: --out <folder>.');
    return { out: fromUser(values.out), id: values.id, from: fromUser(values.from) };
  },
  async run({ out, id, from }) {
    await exportFolder(from, id, out);
    console.log(`${out}: the decoder in fp32 and q4, vision_encoder and embed_tokens in fp32`);
  },
});
