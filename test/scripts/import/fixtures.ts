import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const MODELS = 'test/fixtures/import';

/** By model, by tensor: dtype, shape, SHA-256 of the bytes. */
export type Expected = Readonly<
  Record<string, Readonly<Record<string, readonly [string, number[], string]>>>
>;

export async function readExpected(): Promise<Expected> {
  return JSON.parse(await readFile(`${MODELS}/expected.json`, 'utf8')) as Expected;
}

/** An empty folder that goes with the test, and what an import leaves beside it. */
export async function scratch(): Promise<string> {
  const around = await mkdtemp(join(tmpdir(), 'glimpse-import-'));
  onTestFinished(() => rm(around, { recursive: true }));
  const folder = join(around, 'bundles');
  await mkdir(folder);
  return folder;
}

/** A copy of a model that the test may damage. */
export async function copyOf(model: string): Promise<string> {
  const folder = await scratch();
  await cp(`${MODELS}/${model}`, folder, { recursive: true });
  return folder;
}

/** A safetensors file with another header, and perhaps with other bytes at a place in its data. */
export interface Edit {
  readonly header?: (
    header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>,
  ) => void;
  readonly data?: (data: DataView, offset: (tensor: string) => number) => void;
}

export function edited(file: Buffer, { header: change, data: damage }: Edit): Buffer {
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Parameters<
    NonNullable<Edit['header']>
  >[0];
  const data = Buffer.from(file.subarray(8 + length));
  damage?.(
    new DataView(data.buffer, data.byteOffset, data.length),
    (name) => header[name]?.data_offsets[0] ?? NaN,
  );
  change?.(header);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, data]);
}
