import { basename } from 'node:path';
import { fileEntry, json, manifestOf, type SmallFiles } from '../bundle/bundle-files.ts';
import { MANIFEST } from '../../src/bundle/manifest.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import { createEngine } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { modelsOn } from '../../src/model/create-model.ts';
import { loadBundle } from '../../src/pipeline/loaded-bundle.ts';
import { ensureKernels } from '../cli/ensure-kernels.ts';

/** Of the kernels' memory: no weights are loaded. */
const MEMORY = 2 ** 24;

/**
 * Opens a bundle of these files as the Worker does, all but its weights.
 * @param folder the published model's
 * @throws Error that names the file which the Worker could not use
 */
export async function requireUsable(folder: string, id: string, small: SmallFiles): Promise<void> {
  ensureKernels();
  try {
    const source = await sourceOf(id, small);
    const bundle = await loadBundle(
      source,
      id,
      modelsOn(() => createEngine(nodeKernelModules, MEMORY)),
    );
    await bundle.text();
  } catch (cause) {
    throw new Error(`The files in ${folder} make no model that can be asked. ${reasons(cause)}`, { cause });
  }
}

async function sourceOf(id: string, small: SmallFiles): Promise<ShardSource> {
  const entries = Object.entries(small).map(async ([name, bytes]) => [name, await fileEntry(bytes)] as const);
  const manifest = json(await manifestOf(id, Object.fromEntries(await Promise.all(entries))));
  const files: SmallFiles = { ...small, [MANIFEST]: manifest };
  return {
    fetch: (path) => Promise.resolve(new Response(files[basename(path)]).body ?? undefined),
  };
}

/** What the Worker's error says, and what a library said to it. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
