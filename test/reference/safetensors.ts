import { readFileSync } from 'node:fs';

export interface Float32Tensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The float32 tensors of a .safetensors file. */
export function readSafetensors(path: string | URL): ReadonlyMap<string, Float32Tensor> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([, { dtype }]) => dtype === 'F32')
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const bytes = Uint8Array.from(file.subarray(start + from, start + to));
          return [name, { data: new Float32Array(bytes.buffer), shape }];
        },
      ),
  );
}
