/**
 * Makes a bundle of a model folder in transformers.js' layout: its graphs in one dtype, cut into pieces, its
 * small files as they are, and a manifest. The same folder gives the same bytes.
 *
 *   npm run import:onnx -- <folder> --id NAME [--dtype q4] [--dtype embed_tokens=fp16] [--task-prompt TEXT]
 *     [--out model-shards]
 */
import { parseArgs } from 'node:util';
import { fromUser } from './cli/paths.ts';
import { runCommand } from './cli/run-command.ts';
import { chooseGraphs } from './onnx/choose-graphs.ts';
import { importFolder } from './onnx/import-folder.ts';
import { openOnnxBundle } from './onnx/open-bundle.ts';

const USAGE = `npm run import:onnx -- <folder> --id NAME [--dtype q4] [--dtype GRAPH=fp16] [--task-prompt TEXT] [--out model-shards]

  folder         a model in transformers.js' layout: config.json, tokenizer.json, onnx/...
  --id           the bundle's name
  --dtype        which weights, where the folder has several: fp32, fp16, q8, q4, q4f16, ...; for all graphs or for one
  --task-prompt  what answers begin with, as Donut's model cards say it, {user_input} in it for the user's text:
                 '<s_docvqa><s_question>{user_input}</s_question><s_answer>', '<s_cord-v2>'
  --out          where bundles lie`;

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
      },
    });
    const [folder, ...more] = positionals;
    if (folder === undefined || more.length > 0) throw new Error('Give one folder.');
    const { id, dtype, out, 'task-prompt': task_prompt } = values;
    if (id === undefined) throw new Error('Give the bundle a name: --id NAME.');
    return { folder: fromUser(folder), id, dtypes: dtype, task_prompt, out: fromUser(out) };
  },
  async run({ folder, id, dtypes, task_prompt, out }) {
    const graphs = await chooseGraphs(folder, dtypes);
    console.log(`importing ${graphs.join(', ')}`);
    const digest = await importFolder(folder, graphs, out, id, task_prompt);
    await openOnnxBundle(out, id);
    console.log(`${digest}  ${out}/${id}: every graph opens`);
  },
});
