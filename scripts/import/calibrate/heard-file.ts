import { closeSync, existsSync, fstatSync, openSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { z } from 'zod';
import { readInto } from '../safetensors-file.ts';
import type { HeardProducts } from './hear-inputs.ts';
import { createMoments, type InputMoments } from './input-moments.ts';

/** What was heard, on the disk: read product by product. */
export interface HeardFile {
  /** Samples that were run for it. */
  readonly samples: number;
  /** Of a layer, or a piece of one. undefined: no sample came by it */
  inputsOf(name: string): InputMoments | undefined;
  all(): HeardProducts;
  close(): void;
}

const headerSchema = z.object({
  fingerprint: z.string(),
  samples: z.int(),
  products: z.array(z.object({ names: z.array(z.string()), in_features: z.int(), rows: z.int() })),
});

/** Under its name there is the whole file or none: the header's length, the header, the sums of each product. */
export async function writeHeard(
  path: string,
  fingerprint: string,
  samples: number,
  heard: HeardProducts,
): Promise<void> {
  const products = [...heard.values()];
  const listed = products.map(({ names, inputs: { in_features, rows } }) => ({ names, in_features, rows }));
  const header = Buffer.from(JSON.stringify({ fingerprint, samples, products: listed }));
  const length = Buffer.alloc(LENGTH);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(`${path}.partial`, 'w');
  try {
    await file.writeFile(length);
    await file.writeFile(header);
    for (const { inputs } of products) await file.writeFile(Buffer.from(inputs.sums.buffer));
  } finally {
    await file.close();
  }
  await rename(`${path}.partial`, path);
}

/** @returns undefined where there is none of this fingerprint */
export function openHeard(path: string, fingerprint: string): HeardFile | undefined {
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  const header = readHeader(file);
  if (header?.fingerprint !== fingerprint) {
    closeSync(file);
    return undefined;
  }
  let end = header.start;
  const places = header.products.map(({ names, in_features, rows }) => {
    const at = end;
    end += createMoments(in_features).sums.byteLength;
    return { names, in_features, rows, at };
  });
  const read = ({ in_features, rows, at }: (typeof places)[number]): InputMoments => {
    const moments = { ...createMoments(in_features), rows };
    readInto(Buffer.from(moments.sums.buffer), file, at);
    return moments;
  };
  const byName = new Map(places.flatMap((place) => place.names.map((name) => [name, place] as const)));
  return {
    samples: header.samples,
    inputsOf(name) {
      const place = byName.get(name);
      return place && read(place);
    },
    all: () =>
      new Map(
        places.map((place) => [place.names[0] ?? '', { names: place.names, inputs: read(place) }] as const),
      ),
    close: () => closeSync(file),
  };
}

const LENGTH = 8;

/** @returns undefined where it is no such file */
function readHeader(file: number): (z.infer<typeof headerSchema> & { readonly start: number }) | undefined {
  const start = Buffer.alloc(LENGTH);
  if (fstatSync(file).size < LENGTH) return undefined;
  readInto(start, file, 0);
  const json = Buffer.alloc(Number(start.readBigUInt64LE()));
  readInto(json, file, LENGTH);
  return { ...headerSchema.parse(JSON.parse(json.toString('utf8'))), start: LENGTH + json.length };
}
