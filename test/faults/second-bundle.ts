import { digestOf, sha256Hex, type Manifest } from '../../src/bundle/manifest.ts';
import { readSafetensors } from '../../src/bundle/safetensors.ts';
import type { Files } from './faulty-source.ts';

/** The same model after a training that went wrong: some weights of each half have the other sign. */
export async function secondBundle(files: Files): Promise<Files> {
  const changed = new Map(
    Array.from(files, ([name, bytes]) => [
      name,
      name.endsWith('.safetensors') ? negated(name, bytes) : bytes,
    ]),
  );
  return withManifest(changed);
}

/** Every other float32 vector, so that both halves are another network. */
function negated(name: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  const vectors = readSafetensors(copy, name).filter(
    ({ dtype, shape }) => dtype === 'F32' && shape.length === 1,
  );
  for (const { data } of vectors.filter((_, index) => index % 2 === 0)) {
    for (let sign = 3; sign < data.length; sign += 4) data[sign] = (data[sign] ?? 0) ^ 128;
  }
  return copy;
}

async function withManifest(files: Files): Promise<Files> {
  const old = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as Manifest;
  const entries: [string, Manifest['files'][string]][] = [];
  for (const name of Object.keys(old.files)) {
    const bytes = files.get(name);
    if (bytes === undefined) throw new Error(`the bundle lacks ${name}`);
    entries.push([name, { size: bytes.length, sha256: await sha256Hex(bytes) }]);
  }
  const listed = Object.fromEntries(entries);
  const manifest: Manifest = { ...old, files: listed, digest: await digestOf(listed) };
  return new Map([...files, ['manifest.json', new TextEncoder().encode(JSON.stringify(manifest))]]);
}
