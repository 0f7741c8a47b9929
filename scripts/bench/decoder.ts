import type { Bundle } from '../../src/bundle/bundle.ts';
import { createVisionLanguageModel } from '../../src/model/create-model.ts';
import type { LlamaConfig } from '../../src/model/llama/config.ts';
import { glimpseConfigSchema } from '../../src/model/config.ts';
import type { Decoder, PastKeyValues } from '../../src/model/types.ts';
import { best, race, ratio, spread, type Contestant, type RaceOptions, type Spread } from './harness.ts';
import { createGraph } from '../onnx/graph-builder.ts';
import { openSession, tensor, type Session } from './onnx.ts';
import {
  engineOf,
  gaussian,
  ORT_KINDS,
  productsNode,
  randomWeights,
  uniform,
  type OrtKind,
} from './products.ts';

export interface DecoderResult {
  /** Greedy, one sequence, whole engine: all of a token but its choice's text. */
  readonly tokens_per_second: Readonly<Record<'relaxed' | 'simd', Spread>>;
  readonly token_ms: Readonly<Record<string, Spread>>;
  /** onnxruntime-web's time for a token's matrix products alone over our time for the whole token. */
  readonly product_ratios: Readonly<Record<'fp32' | 'int8' | 'q4', Spread>>;
  readonly simd_ratio: Spread;
  /** `<|user|>` and an image. */
  readonly prefix_ms: Readonly<Record<'relaxed' | 'simd', Spread>>;
  /** A prompt of 10 tokens behind them. */
  readonly prompt_ms: Readonly<Record<'relaxed' | 'simd', Spread>>;
}

const BUILDS = ['relaxed', 'simd'] as const;
const PROMPT = Array.from({ length: 10 }, (_, i) => 300 + 11 * i);
const ANSWER_TOKENS = 24;

/** Decoding with our engine on Node, and the least that a decoder over onnxruntime-web's products would take. */
export async function benchDecoder(
  bundle: Bundle,
  image_embeds: Float32Array,
  options: RaceOptions,
): Promise<DecoderResult> {
  const { text_config } = glimpseConfigSchema.parse(await bundle.json('config.json'));
  const decoders = await Promise.all(
    BUILDS.map(async (name) => {
      const decoder = await (await createVisionLanguageModel(engineOf(name), bundle)).decoder();
      return { name, decoder, prefix: await prefill(decoder, image_embeds) };
    }),
  );
  const prefixes = await race(
    decoders.map(({ name, decoder }) => ({
      name,
      run: async () => (await prefill(decoder, image_embeds)).release(),
    })),
    options,
  );
  const prompts = await race(
    decoders.map(({ name, decoder, prefix }) => ({
      name,
      run: async () => {
        const past_key_values = prefix.fork();
        await decoder.forward([{ past_key_values, input_ids: PROMPT }]);
        past_key_values.release();
      },
    })),
    options,
  );
  const sessions = await Promise.all(
    ORT_KINDS.map(async (kind) => ({ kind, session: await openSession(tokenModel(text_config, kind)) })),
  );
  const tokens = await race(
    [
      ...decoders.map(({ name, decoder, prefix }): Contestant => {
        return { name, run: () => answer(decoder, prefix) };
      }),
      ...sessions.map(({ kind, session }): Contestant => ({
        name: kind,
        run: () => tokenRuns(session, text_config),
      })),
    ],
    options,
  );
  for (const { session } of sessions) await session.release();

  const perToken = Object.fromEntries(
    Object.entries(tokens).map(([name, times]) => [name, times.map((ms) => ms / ANSWER_TOKENS)]),
  );
  const { relaxed = [], simd = [] } = perToken;
  const rate = (times: readonly number[]) => spread(times.map((ms) => 1000 / ms));
  return {
    tokens_per_second: { relaxed: rate(relaxed), simd: rate(simd) },
    token_ms: Object.fromEntries(Object.entries(perToken).map(([name, times]) => [name, spread(times)])),
    product_ratios: {
      fp32: ratio(perToken.fp32, relaxed),
      int8: ratio(perToken.int8, relaxed),
      q4: ratio(best(perToken, ['q4', 'q4 accuracy 4']), relaxed),
    },
    simd_ratio: ratio(simd, relaxed),
    prefix_ms: { relaxed: spread(prefixes.relaxed ?? []), simd: spread(prefixes.simd ?? []) },
    prompt_ms: { relaxed: spread(prompts.relaxed ?? []), simd: spread(prompts.simd ?? []) },
  };
}

async function prefill(decoder: Decoder, image_embeds: Float32Array): Promise<PastKeyValues> {
  const past_key_values = decoder.create(64);
  await decoder.forward([{ past_key_values, input_ids: [1] }]); // <|user|>
  await decoder.forward([{ past_key_values, inputs_embeds: image_embeds }]);
  return past_key_values;
}

/** ANSWER_TOKENS tokens, each the best by the logits of the one before. */
async function answer(decoder: Decoder, prefix: PastKeyValues): Promise<void> {
  const past_key_values = prefix.fork();
  let token = PROMPT[0] ?? 0;
  for (let i = 0; i < ANSWER_TOKENS; i++) {
    const [logits = new Float32Array()] = await decoder.forward([{ past_key_values, input_ids: [token] }]);
    token = argmax(logits);
  }
  past_key_values.release();
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}

/** All matrix products of one token as one graph, side by side: no attention, no norms, nothing to wait for. */
function tokenModel(config: LlamaConfig, kind: OrtKind): Uint8Array {
  const { hidden_size, intermediate_size, num_hidden_layers: count, vocab_size, head_dim } = config;
  const qkv = (config.num_attention_heads + 2 * config.num_key_value_heads) * head_dim;
  const graph = createGraph();
  const hidden = graph.input('hidden', [1, hidden_size]);
  const middle = graph.input('middle', [1, intermediate_size]);
  const product = (x: string, k: number, n: number, count: number) =>
    productsNode(graph, x, randomWeights({ k, n, count }), count, kind);
  return graph.encode({
    qkv: product(hidden, hidden_size, qkv, count),
    attended: product(hidden, hidden_size, hidden_size, count),
    gate_up: product(hidden, hidden_size, 2 * intermediate_size, count),
    down: product(middle, intermediate_size, hidden_size, count),
    logits: product(hidden, hidden_size, vocab_size, 1),
  });
}

async function tokenRuns(session: Session, { hidden_size, intermediate_size }: LlamaConfig): Promise<void> {
  const random = uniform(3);
  const feeds = {
    hidden: tensor(gaussian(hidden_size, random), [1, hidden_size]),
    middle: tensor(gaussian(intermediate_size, random), [1, intermediate_size]),
  };
  for (let i = 0; i < ANSWER_TOKENS; i++) await session.run(feeds);
}
