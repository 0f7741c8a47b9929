import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ITEM_SIZE, toFloats, type FloatType } from './floats.ts';
import { exists, readJson } from './read-json.ts';

/** A tensor of the published model; its values stay on the disk. */
export interface PublishedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The weights of a Hugging Face model folder: headers in memory, values read when asked for. */
export interface Checkpoint {
  /** The .safetensors files, in the order of their names. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, PublishedTensor>;
  /**
   * Values `from` to `from + count` of a tensor.
   * @throws Error that names the tensor and the index of a value that is not finite
   */
  read(name: string, from: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

interface Placed extends PublishedTensor {
  readonly file: FileHandle;
  readonly position: number;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);
/** https://github.com/huggingface/safetensors: no header is longer. */
const HEADER_LIMIT = 100_000_000;

/** @throws Error where a file is missing, cut off or no safetensors file */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const weightMap = await readWeightMap(folder);
  const files = weightMap ? [...new Set(Object.values(weightMap))].sort() : [SINGLE];
  const handles: FileHandle[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(handles.map((handle) => handle.close()));
  };
  try {
    const tensors = new Map<string, Placed>();
    for (const name of files) {
      const handle = await openFile(folder, name);
      handles.push(handle);
      for (const tensor of await readHeader(handle, name)) tensors.set(tensor.name, tensor);
    }
    const absent = Object.keys(weightMap ?? {}).find((name) => !tensors.has(name));
    if (absent !== undefined) throw new Error(`${INDEX} places ${absent} where it is not. ${AGAIN}`);
    return { files, tensors, read: (...range) => readValues(tensors, ...range), close };
  } catch (error) {
    await close();
    throw error;
  }
}

const AGAIN = 'Download the model again.';

async function readWeightMap(folder: string): Promise<Readonly<Record<string, string>> | undefined> {
  if (await exists(join(folder, SINGLE))) return undefined;
  if (await exists(join(folder, INDEX))) return (await readJson(folder, INDEX, indexSchema)).weight_map;
  throw new Error(
    `${folder} has neither ${SINGLE} nor ${INDEX}. Weights in another format become one by ` +
      'from_pretrained(folder).save_pretrained(folder) in transformers.',
  );
}

async function openFile(folder: string, name: string): Promise<FileHandle> {
  try {
    return await open(join(folder, name));
  } catch (cause) {
    throw new Error(`${name}, which ${INDEX} names, cannot be opened in ${folder}. ${AGAIN}`, { cause });
  }
}

async function readHeader(file: FileHandle, label: string): Promise<readonly Placed[]> {
  const { size: fileSize } = await file.stat();
  const length = Number((await readBytes(file, 0, 8)).readBigUInt64LE());
  if (fileSize < 8 || length > Math.min(HEADER_LIMIT, fileSize - 8)) {
    throw new Error(`${label} is no safetensors file (a pointer of git-lfs, perhaps). ${AGAIN}`);
  }
  const json: unknown = JSON.parse((await readBytes(file, 8, length)).toString('utf8'));
  const { __metadata__: _, ...entries } = z.record(z.string(), z.unknown()).parse(json);
  return Object.entries(headerSchema.parse(entries)).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      if (8 + length + end > fileSize) {
        throw new Error(`${label} is cut off: it ends before its tensor ${name} does. ${AGAIN}`);
      }
      return { name, dtype, shape, bytes: end - start, file, position: 8 + length + start };
    },
  );
}

async function readValues(
  tensors: ReadonlyMap<string, Placed>,
  name: string,
  from: number,
  count: number,
): Promise<Float32Array> {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`There is no tensor ${name}.`);
  const dtype = tensor.dtype as FloatType; // requireTensors has looked at it
  const bytes = await readBytes(
    tensor.file,
    tensor.position + from * ITEM_SIZE[dtype],
    count * ITEM_SIZE[dtype],
  );
  const values = toFloats(bytes, dtype);
  const strange = values.findIndex((value) => !Number.isFinite(value));
  if (strange >= 0) {
    throw new Error(
      `The tensor ${name} has ${values[strange] ?? NaN} at [${indexOf(from + strange, tensor.shape).join()}]: ` +
        'the model was saved broken, or is not what was published.',
    );
  }
  return values;
}

/** Of a place in a row-major tensor, the index in each dimension. */
function indexOf(place: number, shape: readonly number[]): readonly number[] {
  let rest = place;
  return shape
    .toReversed()
    .map((size) => {
      const index = rest % size;
      rest = (rest - index) / size;
      return index;
    })
    .reverse();
}

async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(buffer, at, length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer;
}
