import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST, SHARD_LIMIT, parseManifest, type FileEntry } from '../../src/bundle/manifest.ts';
import { pieceName } from '../../src/bundle/pieces.ts';
import { fileEntry, json, manifestOf } from '../bundle/bundle-files.ts';
import { withChatTemplate } from './chat-template.ts';

/** The files that stand beside the graphs, where the folder has them. */
const SMALL =
  /^(config|generation_config|preprocessor_config|processor_config|tokenizer)\.json$|^chat_template\.|^README\.md$/;

/**
 * Writes the bundle `id` under `out`.
 * @param graphs names of files in the folder's onnx/
 * @param task_prompt how the model is asked, where its folder does not say: see `withChatTemplate`
 * @returns the bundle's digest
 */
export async function importFolder(
  folder: string,
  graphs: readonly string[],
  out: string,
  id: string,
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
  for (const graph of graphs) {
    const files = (await readdir(join(folder, 'onnx'))).filter(
      (name) => name === graph || name.startsWith(`${graph}_data`),
    );
    for (const name of files) {
      for await (const piece of piecesOf(join(folder, 'onnx', name), name)) {
        await write(piece.name, piece.bytes);
      }
    }
  }
  const manifest = json(await manifestOf(id, entries));
  await writeFile(join(target, MANIFEST), manifest);
  return (await parseManifest(manifest, id)).digest;
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
