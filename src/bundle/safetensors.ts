import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

/** Bytes an element, by dtype. */
const ITEM_SIZE = { F32: 4, F16: 2, BF16: 2, U8: 1, I8: 1, I32: 4, I64: 8 } as const;

export type DType = keyof typeof ITEM_SIZE;

export interface Tensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Raw little-endian bytes, row-major. A view of the file it came from. */
  readonly data: Uint8Array;
}

const headerSchema = z.record(
  z.string(),
  z.strictObject({
    dtype: z.enum(Object.keys(ITEM_SIZE) as [DType, ...DType[]]),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);

/**
 * The tensors of a safetensors file in the order of their data, as views of `file`.
 * https://github.com/huggingface/safetensors#format
 * @param label how errors name the file
 * @throws GlimpseError `bundle_invalid`: not a safetensors file, a tensor whose bytes do not fit its
 * shape, or a data section with holes, overlaps or bytes that no tensor owns
 */
export function readSafetensors(file: Uint8Array, label: string): readonly Tensor[] {
  const invalid = (why: string, cause?: unknown) =>
    new GlimpseError('bundle_invalid', `${label} ${why}. Build the bundle again.`, { cause });

  if (file.byteLength < 8) throw invalid('is too short for a safetensors file');
  const headerSize = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (headerSize > BigInt(file.byteLength - 8)) {
    throw invalid('has a safetensors header longer than the file');
  }
  const dataStart = 8 + Number(headerSize);
  const data = file.subarray(dataStart);

  let entries: Entries;
  try {
    entries = parseHeader(file.subarray(8, dataStart));
  } catch (cause) {
    throw invalid('has a safetensors header that cannot be read', cause);
  }

  let end = 0;
  const tensors = entries.map(([name, { dtype, shape, data_offsets: offsets }]) => {
    if (offsets[0] !== end) throw invalid(`has a hole or an overlap before the tensor ${name}`);
    end = offsets[1];
    const bytes = shape.reduce((product, size) => product * size, ITEM_SIZE[dtype]);
    if (end - offsets[0] !== bytes) throw invalid(`gives the tensor ${name} bytes that do not fit its shape`);
    return { name, dtype, shape, data: data.subarray(...offsets) };
  });
  if (end !== data.byteLength) throw invalid('has a data section that its tensors do not fill exactly');
  return tensors;
}

type Entries = readonly (readonly [string, z.infer<typeof headerSchema>[string]])[];

/** The header's tensors by offset. An empty tensor stands before the one that starts where it does. */
function parseHeader(bytes: Uint8Array): Entries {
  const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  const header = z.record(z.string(), z.unknown()).parse(json);
  delete header.__metadata__;
  return Object.entries(headerSchema.parse(header)).sort(
    ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
  );
}
