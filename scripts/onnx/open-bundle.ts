import { fileSource } from '../../src/bundle/sources/file.ts';
import { onnxModelsOn } from '../../src/onnx/model.ts';
import { createNodeRuntime } from '../../src/onnx/node.ts';
import { requireGenerative } from '../../src/pipeline/bundle-kinds.ts';
import { loadBundle, type GenerativeBundle } from '../../src/pipeline/loaded-bundle.ts';

/**
 * Opens all of a bundle on Node: its graphs, its tokenizer, its configurations.
 * @throws GlimpseError where anything of it cannot be used
 */
export async function openOnnxBundle(folder: string, id: string): Promise<GenerativeBundle> {
  const runtime = createNodeRuntime();
  const loaded = requireGenerative(await loadBundle(fileSource(folder), id, onnxModelsOn(runtime)));
  await loaded.text();
  await loaded.model.encoder();
  await loaded.model.decoder();
  return loaded;
}
