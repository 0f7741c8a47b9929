import { createHash } from 'node:crypto';
import type { Bundle } from '../../src/bundle/bundle.ts';
import type { Engine, Linear } from '../../src/kernels/engine.ts';
import { withFilledRows } from '../../src/model/filled-rows.ts';

/** A bundle and an engine that remember which layers of the one lie where in the memory of the other. */
export interface NamedLayers {
  readonly bundle: Bundle;
  readonly engine: Engine;
  /** The layers, or pieces of a layer, that a product is made of, by name, in order. */
  readonly namesOf: (linear: Linear) => readonly string[];
  /** The first layer of the product whose weights stand at this address. */
  readonly nameAt: (weight: number) => string;
}

interface Packed {
  readonly name: string;
  readonly rows: number;
  readonly end: number;
}

/** A layer is known again by its bytes, when the engine packs them. */
export function nameLayers(bundle: Bundle, engine: Engine): NamedLayers {
  const { memory, kernels } = engine;
  const names = new Map<string, string>();
  const packed = new Map<number, Packed>();

  function remember(q: number, bytes: number, packedBytes: number, out: number, rows: number): void {
    const name = names.get(digestOf(memory.u8(q, bytes))) ?? '';
    packed.set(out, { name, rows, end: out + packedBytes });
  }

  function layerAt(at: number): Packed {
    const layer = packed.get(at);
    if (layer === undefined) throw new Error(`no layer was packed at ${at}`);
    return layer;
  }

  return {
    bundle: {
      ...bundle,
      async *tensors(prefixes, signal) {
        for await (const tensor of bundle.tensors(prefixes, signal)) {
          const [, name] = /^(.*)\.weight\.q[48]$/.exec(tensor.name) ?? [];
          const { data, shape } = tensor;
          if (name !== undefined) names.set(digestOf(withFilledRows(data, shape[0] ?? 0)), name);
          yield tensor;
        }
      },
    },
    engine: {
      ...engine,
      kernels: {
        ...kernels,
        pack_q4(q, scale, out, n, k) {
          remember(q, n * Math.ceil(k / 2), (n / 8) * 144 * Math.ceil(k / 32), out, n);
          kernels.pack_q4(q, scale, out, n, k);
        },
        pack_q8(q, scale, out, n, k) {
          remember(q, n * k, (n / 8) * (32 + 256 * Math.ceil(k / 32)), out, n);
          kernels.pack_q8(q, scale, out, n, k);
        },
      },
    },
    namesOf({ weight, out_features }) {
      const found: string[] = [];
      for (let [at, rows] = [weight, 0]; rows < out_features;) {
        const layer = layerAt(at);
        found.push(layer.name);
        at = layer.end;
        rows += layer.rows;
      }
      return found;
    },
    nameAt: (weight) => layerAt(weight).name,
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64');
}
