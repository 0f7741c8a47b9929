import { mkdir, open, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from '../../bundle/bundle-files.ts';
import { architectureOf } from '../../import/architectures/architecture-of.ts';
import { product, tensorsOf, type ExpectedTensor } from '../../import/modules.ts';
import { chatTemplate, generationConfig, preprocessorConfig, processorConfig } from './configs.ts';
import { tokenizerFiles } from './tokenizer.ts';

/** Values that are written at once. */
const CHUNK = 1 << 20;

/**
 * @param config an Idefics3 configuration: the weights are those that it asks for, in bfloat16
 * @param preprocessor the image processor's
 */
export async function writeCheckpoint(
  folder: string,
  config: object,
  seed: number,
  preprocessor: object = preprocessorConfig,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tokenizer, tokenizerConfig } = tokenizerFiles();
  const files = {
    'config.json': config,
    'generation_config.json': generationConfig,
    'preprocessor_config.json': preprocessor,
    'processor_config.json': processorConfig,
    'chat_template.json': chatTemplate,
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': tokenizerConfig,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), json(content));

  const tensors = architectureOf(config).parts.flatMap(({ modules }) => modules.flatMap(tensorsOf));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  try {
    await file.write(headerOf(tensors));
    const normal = normalBits(seed);
    for (const tensor of tensors) await writeTensor(file, tensor, normal);
  } finally {
    await file.close();
  }
}

/** The bundle's names back to the published ones. */
const PUBLISHED: readonly (readonly [RegExp, string])[] = [
  [/^vision_tower\./, 'model.vision_model.'],
  [/^connector\./, 'model.connector.'],
  [/^language_model\.model\./, 'model.text_model.'],
  [/^language_model\.lm_head\./, 'lm_head.'],
];

function headerOf(tensors: readonly ExpectedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape }) => {
    const start = end;
    end += 2 * product(shape);
    const published = PUBLISHED.reduce((renamed, rule) => renamed.replace(...rule), name);
    return [published, { dtype: 'BF16', shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const file = new Uint8Array(8 + header.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}

/** Matrices keep the size of what goes through them; norms are 1, biases 0. */
async function writeTensor(
  file: FileHandle,
  { name, shape }: ExpectedTensor,
  normal: NormalBits,
): Promise<void> {
  const total = product(shape);
  const isMatrix = shape.length > 1;
  const deviation = 1 / Math.sqrt(product(shape.slice(1)));
  for (let at = 0; at < total; at += CHUNK) {
    const values = new Uint16Array(Math.min(CHUNK, total - at));
    if (isMatrix) normal(values, deviation);
    else values.fill(name.endsWith('.bias') ? 0 : bfloat16(1));
    await file.write(values);
  }
}

/** Fills with bfloat16 of a normal distribution. */
type NormalBits = (values: Uint16Array, deviation: number) => void;

/** Draws from a table: quick, and as normal as 4-bit rounding can tell. */
function normalBits(seed: number): NormalBits {
  const next = xorshift(seed);
  const uniform = (): number => (next() + 0.5) / 2 ** 32;
  const table = Float64Array.from(
    { length: 1 << 16 },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  return (values, deviation) => {
    const bits = Uint16Array.from(table, (value) => bfloat16(value * deviation));
    for (let i = 0; i < values.length; i++) values[i] = bits[next() >>> 16] ?? 0;
  };
}

/** Marsaglia's xorshift32. @returns whole numbers below 2^32 */
function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Cut off, not rounded: random either way. */
function bfloat16(value: number): number {
  float[0] = value;
  return (word[0] ?? 0) >>> 16;
}
