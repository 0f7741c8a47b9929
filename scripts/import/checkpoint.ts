import { join } from 'node:path';
import { z } from 'zod';
import { isFloatType, ITEM_SIZE, toFloats } from './floats.ts';
import { exists, readJson } from './read-json.ts';
import {
  AGAIN,
  openSafetensors,
  readInto,
  type PlacedTensor,
  type SafetensorsFile,
} from './safetensors-file.ts';

/** A tensor of the published model; its values stay on the disk. */
export type PublishedTensor = Pick<PlacedTensor, 'name' | 'dtype' | 'shape' | 'bytes'>;

/** The weights of a Hugging Face model folder: headers in memory, values read when asked for. */
export interface Checkpoint {
  /** The .safetensors files, in the order of their names. */
  readonly files: readonly string[];
  readonly tensors: ReadonlyMap<string, PublishedTensor>;
  /**
   * Values `from` to `from + count` of a tensor, in a buffer that the next call fills anew.
   * @throws Error that names the tensor and the index of a value that is not finite
   */
  read(name: string, from: number, count: number): Float32Array;
  close(): void;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** @throws Error where a file is missing, cut off or no safetensors file */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const weightMap = await readWeightMap(folder);
  const files = weightMap ? [...new Set(Object.values(weightMap))].sort() : [SINGLE];
  const absent = await firstAbsent(folder, files);
  if (absent !== undefined) {
    throw new Error(`${folder} has no ${absent}, which ${INDEX} names. ${AGAIN}`);
  }
  const opened: SafetensorsFile[] = [];
  const close = (): void => opened.forEach((file) => file.close());
  try {
    for (const name of files) opened.push(openSafetensors(join(folder, name), name));
    const tensors = new Map(opened.flatMap((file) => file.tensors).map((tensor) => [tensor.name, tensor]));
    const lost = Object.keys(weightMap ?? {}).find((name) => !tensors.has(name));
    if (lost !== undefined) throw new Error(`${INDEX} places ${lost} where it is not. ${AGAIN}`);
    return { files, tensors, read: valueReader(tensors), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function readWeightMap(folder: string): Promise<Readonly<Record<string, string>> | undefined> {
  if (await exists(join(folder, SINGLE))) return undefined;
  if (await exists(join(folder, INDEX))) return (await readJson(folder, INDEX, indexSchema)).weight_map;
  throw new Error(
    `${folder} has neither ${SINGLE} nor ${INDEX}. Weights in another format become one by ` +
      'from_pretrained(folder).save_pretrained(folder) in transformers.',
  );
}

async function firstAbsent(folder: string, files: readonly string[]): Promise<string | undefined> {
  const there = await Promise.all(files.map((name) => exists(join(folder, name))));
  return files[there.indexOf(false)];
}

/** Reads into buffers of its own, since Node frees what lies outside its heap late. */
function valueReader(tensors: ReadonlyMap<string, PlacedTensor>): Checkpoint['read'] {
  let bytes = Buffer.alloc(0);
  let floats = new Float32Array(0);
  return (name, from, count) => {
    const tensor = tensors.get(name);
    if (tensor === undefined || !isFloatType(tensor.dtype)) {
      throw new Error(`There are no values of ${name}.`);
    }
    const itemSize = ITEM_SIZE[tensor.dtype];
    if (count > floats.length) {
      bytes = Buffer.alloc(4 * count);
      floats = new Float32Array(count);
    }
    const read = bytes.subarray(0, itemSize * count);
    readInto(read, tensor.file, tensor.position + from * itemSize);
    const values = floats.subarray(0, count);
    toFloats(read, tensor.dtype, values);
    requireFinite(values, tensor, from);
    return values;
  };
}

function requireFinite(values: Float32Array, { name, shape }: PlacedTensor, from: number): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new Error(
      `The tensor ${name} has ${values[i] ?? NaN} at [${indexOf(from + i, shape).join()}]: ` +
        'the model was saved broken, or is not what was published.',
    );
  }
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
