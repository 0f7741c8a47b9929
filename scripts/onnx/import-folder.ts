import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST, SHARD_LIMIT, parseManifest, type FileEntry } from '../../src/bundle/manifest.ts';
import { pieceName } from '../../src/bundle/pieces.ts';
import { fileEntry, json, manifestOf } from '../bundle/bundle-files.ts';
import type { Target } from '../bundle/target.ts';
import { withChatTemplate } from './chat-template.ts';
import { externalFiles } from './external-data.ts';

/** The files that stand beside the graphs, where the folder has them. */
const SMALL =
  /^(config|generation_config|preprocessor_config|processor_config|tokenizer)\.json$|^chat_template\.|^README\.md$/;

/**
 * Writes the bundle into a folder that is nobody else's.
 * @param graphs names of files in the folder's onnx/
 * @param task_prompt how the model is asked, where its folder does not say: see `withChatTemplate`
 * @returns the bundle's digest
 * @throws Error for a file that is missing
 */
export async function importFolder(
  folder: string,
  graphs: readonly string[],
  { id, out }: Target,
  task_prompt?: string,
): Promise<string> {
  const target = join(out, id);
  await rm(target, { recursive: true, force: true }); // so that no piece of an earlier import stays
  await mkdir(target, { recursive: true });
  const entries: Record<string, FileEntry> = {};
  const write = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
    await writeFile(join(target, name), bytes);
    entries[name] = await fileEntry(bytes);
  };

  for (const name of (await readdir(folder)).filter((name) => SMALL.test(name))) {
    await write(name, new Uint8Array(await readFile(join(folder, name))));
  }
  await write('tokenizer_config.json', json(await withChatTemplate(folder, task_prompt)));
  for (const name of await filesOf(join(folder, 'onnx'), graphs)) {
    for await (const piece of piecesOf(join(folder, 'onnx', name), name)) {
      await write(piece.name, piece.bytes);
    }
  }
  const manifest = json(await manifestOf(id, entries));
  await writeFile(join(target, MANIFEST), manifest);
  return (await parseManifest(manifest, id)).digest;
}

/** The graphs and what lies beside them of their weights. @throws Error where one of these is not there */
async function filesOf(folder: string, graphs: readonly string[]): Promise<readonly string[]> {
  const there = await readdir(folder);
  const files: string[] = [];
  for (const graph of graphs) {
    const own = there.filter((name) => name === graph || name.startsWith(`${graph}_data`));
    const needed = externalFiles(await readFile(join(folder, graph)));
    const absent = [...needed].find((name) => !own.includes(name));
    if (absent !== undefined) {
      throw new Error(
        `${graph} has weights in ${absent}, and ${folder} has no file of that name that begins with ${graph}_data: download it too.`,
      );
    }
    files.push(...own);
  }
  return files;
}

/** A file as it is, or in pieces where it is larger than a shard: never more than one of them in memory. */
export async function* piecesOf(
  path: string,
  name: string,
  limit = SHARD_LIMIT,
): AsyncGenerator<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const count = Math.ceil(size / limit);
    for (let index = 0; index < count; index++) {
      const bytes = new Uint8Array(Math.min(limit, size - index * limit));
      await file.read(bytes, 0, bytes.length, index * limit);
      yield { name: count === 1 ? name : pieceName(name, index, count), bytes };
    }
  } finally {
    await file.close();
  }
}
