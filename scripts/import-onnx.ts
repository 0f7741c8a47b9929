/**
 * Makes a bundle of a model folder in transformers.js' layout: its graphs in one dtype, cut into pieces, its
 * small files as they are, and a manifest. The same folder gives the same bytes.
 *
 *   npm run import:onnx -- <folder> --id NAME [--dtype q4] [--dtype embed_tokens=fp16] [--task-prompt TEXT]
 *     [--out model-shards] [--replace]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleId } from './bundle/bundle-id.ts';
import { makeBundle } from './bundle/target.ts';
import { fromUser } from './cli/paths.ts';
import { runCommand } from './cli/run-command.ts';
import { chooseGraphs } from './onnx/choose-graphs.ts';
import { importFolder } from './onnx/import-folder.ts';
import { openOnnxBundle } from './onnx/open-bundle.ts';

const CONFIG = 'config.json';

const USAGE = `npm run import:onnx -- <folder> --id NAME [--dtype q4] [--dtype GRAPH=fp16] [--task-prompt TEXT] [--out model-shards] [--replace]

  folder         a model in transformers.js' layout: config.json, tokenizer.json, onnx/...
  --id           the bundle's name
  --dtype        which weights, where the folder has several: fp32, fp16, q8, q4, q4f16, ...; for all graphs or for one
  --task-prompt  what answers begin with, as Donut's model cards say it, {user_input} in it for the user's text:
                 '<s_docvqa><s_question>{user_input}</s_question><s_answer>', '<s_cord-v2>'
  --out          where bundles lie
  --replace      puts it in the place of another bundle of that name`;

await runCommand({
  usage: USAGE,
  parse(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        id: { type: 'string' },
        dtype: { type: 'string', multiple: true, default: [] },
        'task-prompt': { type: 'string' },
        out: { type: 'string', default: 'model-shards' },
        replace: { type: 'boolean', default: false },
      },
    });
    const [folder, ...more] = positionals;
    if (folder === undefined || more.length > 0) throw new Error('Give one folder.');
    const { id, dtype, out, replace, 'task-prompt': task_prompt } = values;
    return {
      folder: fromUser(folder),
      dtypes: dtype,
      task_prompt,
      destination: { id: bundleId(id), out: fromUser(out), replace },
    };
  },
  async run({ folder, dtypes, task_prompt, destination }) {
    const graphs = await chooseGraphs(folder, dtypes);
    console.log(`importing ${graphs.join(', ')}`);
    const config = { [CONFIG]: new Uint8Array(await readFile(join(folder, CONFIG))) };
    const { digest } = await makeBundle(folder, destination, config, async (work) => {
      const digest = await importFolder(folder, graphs, work, task_prompt);
      await openOnnxBundle(work.out, work.id);
      return { digest };
    });
    console.log(`${digest}  ${destination.out}/${destination.id}: every graph opens`);
  },
});
