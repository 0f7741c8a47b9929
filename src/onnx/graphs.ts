import type { Bundle } from '../bundle/bundle.ts';
import { GlimpseError } from '../errors.ts';
import type { GraphName } from './config.ts';
import type { Graph, Runtime } from './runtime.ts';

/** What transformers.js appends to a graph's name, by the dtype of its weights. */
export const DTYPES: ReadonlyMap<string, string> = new Map([
  ['fp32', ''],
  ['q8', '_quantized'],
  ...['fp16', 'int8', 'uint8', 'bnb4', 'q4', 'q4f16', 'q2', 'q2f16', 'q1', 'q1f16'].map(
    (dtype) => [dtype, `_${dtype}`] as const,
  ),
]);

/** The file names that a graph may have. */
export function graphPattern(name: GraphName): RegExp {
  return new RegExp(`^${name}(${[...DTYPES.values()].join('|')})\\.onnx$`);
}

/**
 * Where a bundle of the other engine is told from one that lacks a graph.
 * @throws GlimpseError bundle_invalid
 */
export function requireGraphs({ id, files }: Pick<Bundle, 'id' | 'files'>): void {
  if (files.some((file) => file.endsWith('.onnx'))) return;
  throw new GlimpseError(
    'bundle_invalid',
    `The model bundle "${id}" has no ONNX graphs: it is one for the default Worker, npm run dev and npm run deploy.`,
  );
}

/**
 * The file that holds a graph. A bundle has each in one dtype, which its importer chose.
 * @throws GlimpseError bundle_invalid where there is none, or more than one to choose from
 */
export function graphFile(bundle: Pick<Bundle, 'id' | 'files'>, name: GraphName): string {
  const found = bundle.files.filter((file) => graphPattern(name).test(file));
  const [file] = found;
  if (file !== undefined && found.length === 1) return file;
  const why = file === undefined ? `no ${name}.onnx` : `several of one graph: ${found.join(', ')}`;
  throw new GlimpseError('bundle_invalid', `The model bundle "${bundle.id}" has ${why}. Import it again.`);
}

/** @throws GlimpseError shard_unavailable, or bundle_invalid where the runtime cannot run it */
export async function openGraph(runtime: Runtime, bundle: Bundle, name: GraphName): Promise<Graph> {
  const file = graphFile(bundle, name);
  const model = await bundle.bytes(file);
  const externalData = [];
  for (const path of bundle.files.filter((other) => other.startsWith(`${file}_data`))) {
    externalData.push({ path, data: await bundle.bytes(path) });
  }
  try {
    return await runtime.open(model, externalData);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GlimpseError('bundle_invalid', `${file} of ${bundle.id} cannot be run: ${reason}`, { cause });
  }
}
