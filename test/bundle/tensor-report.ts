import { openBundle } from '../../src/bundle/bundle.ts';
import type { FetchCount } from '../../src/bundle/files.ts';
import { sha256Hex } from '../../src/bundle/manifest.ts';
import type { ShardSource } from '../../src/bundle/source.ts';
import { GlimpseError } from '../../src/errors.ts';

export type TensorFacts = readonly [dtype: string, shape: readonly number[], sha256: string];

/** What came of reading a bundle, in a form that also travels out of workerd. */
export interface TensorReport {
  readonly tensors?: Readonly<Record<string, TensorFacts>>;
  readonly fetched?: Readonly<Record<string, FetchCount>>;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Opens a bundle and reads every tensor under the prefixes. */
export async function reportTensors(
  source: ShardSource,
  id: string,
  prefixes: readonly string[],
): Promise<TensorReport> {
  try {
    const bundle = await openBundle(source, id);
    const tensors: Record<string, TensorFacts> = {};
    for await (const { name, dtype, shape, data } of bundle.tensors(prefixes)) {
      tensors[name] = [dtype, shape, await sha256Hex(new Uint8Array(data))];
    }
    return { tensors, fetched: Object.fromEntries(bundle.fetched) };
  } catch (error) {
    if (!(error instanceof GlimpseError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}
