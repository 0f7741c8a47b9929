import { fileSource } from '../../src/bundle/sources/file.ts';
import { createOnnxModel } from '../../src/onnx/model.ts';
import { createNodeRuntime } from '../../src/onnx/node.ts';
import { loadBundle, type LoadedBundle } from '../../src/pipeline/loaded-bundle.ts';

/**
 * Opens all of a bundle on Node: its graphs, its tokenizer, its configurations.
 * @throws GlimpseError where anything of it cannot be used
 */
export async function openOnnxBundle(folder: string, id: string): Promise<LoadedBundle> {
  const runtime = createNodeRuntime();
  const loaded = await loadBundle(fileSource(folder), id, (bundle) => createOnnxModel(runtime, bundle));
  await loaded.text();
  await loaded.model.encoder();
  await loaded.model.decoder();
  return loaded;
}
