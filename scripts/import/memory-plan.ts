import { SHARD_LIMIT } from '../../src/bundle/manifest.ts';
import type { LlamaConfig } from '../../src/model/llama/config.ts';
import { bytesPerPosition } from '../../src/model/llama/kv-cache.ts';
import { KEPT_BYTES } from '../../src/model/llama/streamed-embedding.ts';
import { tokensPerImage, type VisionTransformerConfig } from '../../src/model/vision/transformer-config.ts';
import { isStreamed as isTowerStreamed } from '../../src/model/vision/vision-stages.ts';
import type { Architecture } from './architectures/architecture.ts';
import { product } from './modules.ts';
import type { Piece } from './pieces.ts';
import { isStreamed, type Plan } from './plan.ts';

/** Bytes that a model takes in an isolate. Weights, keys and values are exact; the rest are estimates. */
export interface MemoryPlan {
  /** What is there all the time, by what it is. */
  readonly resident: Readonly<Record<string, number>>;
  /** What comes on top of it for a time; one at a time. */
  readonly phases: readonly { readonly name: string; readonly bytes: number }[];
  readonly kv_per_token: number;
  readonly context: number;
  /** Positions whose keys and values fit beside what is resident, over all sequences. */
  readonly positions: number;
  readonly fits: boolean;
}

/** Cloudflare's limit for an isolate. */
export const ISOLATE = 128e6;
/** The Worker's own code and heap under load, without model and pictures. */
const WORKER = 6e6;
/** Measured on byte-level BPE: 148 bytes an entry at 49,280, 135 at 4,096. */
const TOKENIZER_ENTRY = 150;
/** As it came, and while the kernels take it over. */
const LOADING = 2 * SHARD_LIMIT;
/** Rows of one pass, in both halves. */
const ROWS = 64;
const FLOAT = 4;
/** A short question and its answer. */
const CONVERSATION = 256;

/** @param vocabulary entries of the tokenizer */
export function planMemory(architecture: Architecture, { parts }: Plan, vocabulary: number): MemoryPlan {
  const { decoder, vision, textEncoder, imageTokens = 0 } = architecture;
  const isText = (name: string): boolean => ['token embeddings', 'decoder', 'text encoder'].includes(name);
  const packed = parts.map(({ name, pieces }) => ({
    name,
    bytes: sum(pieces.filter((piece) => !isStreamed(piece)).map(packedBytes)),
  }));
  const looked_up = parts.some(({ pieces }) => pieces.some(isStreamed));
  const text = packed.filter(({ name }) => isText(name)).map(({ bytes }) => bytes);
  const image = packed.filter(({ name }) => !isText(name)).map(({ bytes }) => bytes);
  const streamed = vision !== undefined && isTowerStreamed(vision);

  const resident = {
    'the Worker (estimate)': WORKER,
    'weights of the text half': sum(text),
    'weights of the vision half': streamed ? 0 : sum(image),
    ...(looked_up && { 'rows of the token embeddings that are kept': KEPT_BYTES }),
    'the tokenizer (estimate)': TOKENIZER_ENTRY * vocabulary,
  };
  const room = Math.max(0, ISOLATE - sum(Object.values(resident)));
  const kv_per_token = decoder ? bytesPerPosition(decoder) : 0;
  const context = decoder?.max_position_embeddings ?? textEncoder?.max_position_embeddings ?? 0;
  const pass = decoder ? decoderActivations(decoder) : 0;
  const answer = Math.min(context, imageTokens + CONVERSATION);
  const phases = [
    { name: 'loading a shard', bytes: LOADING },
    {
      name: streamed ? 'embedding an image, layer by layer' : 'embedding an image',
      bytes: (vision ? visionActivations(vision) : 0) + (streamed ? Math.max(...image) + LOADING : 0),
    },
    ...(decoder ? [{ name: `answering, ${answer} positions`, bytes: pass + answer * kv_per_token }] : []),
  ];
  return {
    ...{ resident, phases, kv_per_token, context },
    positions: decoder ? Math.min(context, Math.max(0, Math.floor((room - pass) / kv_per_token))) : context,
    fits: phases.every(({ bytes }) => bytes <= room),
  };
}

/** In the kernels' order: tiles of 8 rows, blocks of 32 inputs (src/kernels/assembly/pack.ts). */
function packedBytes({ module, bits, rows }: Piece): number {
  if (module.kind !== 'linear') return FLOAT * product(module.shape);
  const blocks = Math.ceil(product(module.shape.slice(1)) / 32);
  const tile = bits === 4 ? 144 * blocks : 32 + 256 * blocks;
  return (rows / 8) * tile + (module.bias ? FLOAT * rows : 0);
}

/** One image's pixels and hidden states, all its keys and values, and the rows of a pass. */
function visionActivations(config: VisionTransformerConfig): number {
  const { hidden_size: width, intermediate_size, num_channels, image_size } = config;
  const tokens = tokensPerImage(config);
  const pixels = num_channels * image_size ** 2;
  return FLOAT * (pixels + 3 * tokens * width + ROWS * (5 * width + intermediate_size));
}

/** Hidden states and what stands between the products, a pass of them; one position's logits. */
function decoderActivations(config: LlamaConfig): number {
  const { hidden_size, intermediate_size, num_attention_heads, num_key_value_heads, head_dim } = config;
  const attention = (2 * num_attention_heads + 2 * num_key_value_heads) * head_dim;
  const row = 3 * hidden_size + attention + 3 * intermediate_size;
  return FLOAT * (ROWS * row + config.vocab_size);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
