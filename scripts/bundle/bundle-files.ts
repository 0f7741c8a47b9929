import { digestOf, sha256Hex, type FileEntry } from '../../src/bundle/manifest.ts';

/** Where a tensor stands. */
export interface PlacedTensor {
  readonly name: string;
  readonly shard: string;
  readonly bytes: number;
}

/** Files beside the weights, by name. */
export type SmallFiles = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** model.safetensors.index.json, as transformers writes it. */
export function indexOf(tensors: readonly PlacedTensor[]): object {
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    metadata: { total_size: sorted.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(sorted.map(({ name, shard }) => [name, shard])),
  };
}

export async function fileEntry(bytes: Uint8Array<ArrayBuffer>): Promise<FileEntry> {
  return { size: bytes.length, sha256: await sha256Hex(bytes) };
}

/** The manifest of a bundle of these files. */
export async function manifestOf(id: string, files: Readonly<Record<string, FileEntry>>): Promise<object> {
  const listed = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { format_version: 1, id, digest: await digestOf(listed), files: listed };
}

/** A JSON file as every bundle has it: two spaces, a line feed at the end. */
export function json(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
