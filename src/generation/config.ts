import * as z from 'zod';
import { GlimpseError } from '../errors.ts';

/** Generation options by their transformers names and ranges, as a request may give them. */
export const generationOptions = z.strictObject({
  /** The longest answer, in tokens. */
  max_new_tokens: z.int().min(1).optional(),
  /** Draw tokens by their probability; without it the likeliest is taken. */
  do_sample: z.boolean().optional(),
  /** Divides the logits. Below 0.01 float32 would overflow: that is `do_sample: false`. */
  temperature: z.number().min(0.01).optional(),
  /** Draw from this many likeliest tokens; 0: from all. */
  top_k: z.int().min(0).optional(),
  /** Draw from the fewest likeliest tokens whose probabilities add up to this. */
  top_p: z.number().min(0).max(1).optional(),
  /** Draw from tokens with at least this part of the likeliest one's probability. */
  min_p: z.number().min(0).max(1).optional(),
  /** Over 1, tokens of the prompt and of the answer so far become less likely (arXiv 1909.05858). */
  repetition_penalty: z.number().min(0.01).max(100).optional(),
  /** Subtracted from the logits of tokens in the answer so far (OpenAI's, vLLM's). */
  presence_penalty: z.number().min(-2).max(2).optional(),
  /** Subtracted from a token's logit as often as the answer so far has the token. */
  frequency_penalty: z.number().min(-2).max(2).optional(),
  /** The same seed draws the same answer. */
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  /** Sequences that beam search keeps; 1 is no beam search. */
  num_beams: z.int().min(1).max(8).optional(),
  /** Beam search divides a sequence's log-probability by its length to this power. */
  length_penalty: z.number().min(-10).max(10).optional(),
  /** Whether beam search ends once num_beams answers are complete; "never": only when none can improve. */
  early_stopping: z.union([z.boolean(), z.literal('never')]).optional(),
  /** The answer ends before the first of these; beam search's best answer is cut there. */
  stop_strings: z.array(z.string().min(1)).max(4).optional(),
});
export type GenerationOptions = z.infer<typeof generationOptions>;

/** Options that only a conversation takes; whoever gives them has checked their ranges. */
export interface ChatOptions extends GenerationOptions {
  /** Answers to the one prompt, independent of each other. */
  readonly num_return_sequences?: number;
  /** Added to the logits of these tokens. */
  readonly logit_bias?: ReadonlyMap<number, number>;
  /** How many of the likeliest tokens to tell with each token's own log-probability. */
  readonly top_logprobs?: number;
}

/** What generation_config.json holds: options, and the tokens that end an answer. */
const generationDefaults = generationOptions.omit({ seed: true }).extend({
  eos_token_id: z.union([z.int().transform((id) => [id]), z.array(z.int()).min(1)]),
  /** Of prompt and answer together, where nothing says how long the answer may be. */
  max_length: z.int().min(1).optional(),
  /** The last token of an answer that max_new_tokens ends. */
  forced_eos_token_id: z.int().nonnegative().nullish(),
  // Of no effect on an answer: a prompt's tokens come from its template, and batches are not padded.
  decoder_start_token_id: z.unknown().optional(),
  bos_token_id: z.unknown().optional(),
  pad_token_id: z.unknown().optional(),
  // Where the file comes from.
  transformers_version: z.unknown().optional(),
  _from_model_config: z.unknown().optional(),
  _commit_hash: z.unknown().optional(),
  // How transformers holds keys and values, and what else it returns.
  use_cache: z.unknown().optional(),
  cache_implementation: z.unknown().optional(),
  return_dict_in_generate: z.unknown().optional(),
  output_attentions: z.unknown().optional(),
  output_hidden_states: z.unknown().optional(),
  output_scores: z.unknown().optional(),
  output_logits: z.unknown().optional(),
});
export type GenerationDefaults = z.infer<typeof generationDefaults>;

/** Every option decided. */
export interface GenerationConfig {
  readonly max_new_tokens: number;
  /** Of prompt and answer together; null: the context's. */
  readonly max_length: number | null;
  readonly do_sample: boolean;
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly min_p: number;
  readonly repetition_penalty: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly logit_bias: ReadonlyMap<number, number>;
  /** null: a new one for each answer. */
  readonly seed: number | null;
  readonly num_beams: number;
  readonly length_penalty: number;
  readonly early_stopping: boolean | 'never';
  readonly stop_strings: readonly string[];
  readonly num_return_sequences: number;
  /** null: no log-probabilities. */
  readonly top_logprobs: number | null;
  readonly eos_token_id: readonly number[];
  /** null: an answer that is too long ends with any. */
  readonly forced_eos_token_id: number | null;
}

const SAMPLING = ['temperature', 'top_k', 'top_p', 'min_p', 'seed'] as const;
const BEAMS = ['length_penalty', 'early_stopping'] as const;

/**
 * @param json the content of generation_config.json
 * @throws GlimpseError bundle_invalid, also for an option that Glimpse would have to ignore
 */
export function parseGenerationDefaults(json: unknown): GenerationDefaults {
  const set = z.record(z.string(), z.unknown()).transform((fields) => {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)); // null: not set
  });
  const parsed = set.pipe(generationDefaults).safeParse(json);
  if (parsed.success) return parsed.data;
  throw new GlimpseError('bundle_invalid', `generation_config.json: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/**
 * A request's options over the bundle's defaults over those of transformers. A request that names
 * a sampling option samples; one that asks for beams does not, whatever the bundle does by default.
 * @throws GlimpseError invalid_value for options that contradict each other
 */
export function resolveGenerationConfig(
  defaults: GenerationDefaults,
  request: ChatOptions,
): GenerationConfig {
  const sampling = SAMPLING.find((name) => request[name] !== undefined);
  const beams = (request.num_beams ?? 1) > 1;
  const do_sample =
    request.do_sample ?? (sampling !== undefined || (!beams && (defaults.do_sample ?? false)));
  const num_beams = request.num_beams ?? (do_sample ? 1 : (defaults.num_beams ?? 1));
  if (sampling !== undefined && !do_sample) {
    throw invalid(
      sampling,
      `${sampling} has an effect only with sampling: leave out do_sample or ${sampling}.`,
    );
  }
  if (do_sample && num_beams > 1) {
    const param = sampling ?? 'do_sample';
    throw invalid(param, `${param} cannot be combined with num_beams over 1: leave out one of them.`);
  }
  const num_return_sequences = request.num_return_sequences ?? 1;
  if (num_beams > 1 && num_return_sequences > 1) {
    throw invalid('num_return_sequences', 'num_return_sequences cannot be combined with num_beams over 1.');
  }
  if (num_beams > 1 && request.top_logprobs !== undefined) {
    throw invalid('top_logprobs', 'top_logprobs cannot be combined with num_beams over 1.');
  }
  const beamOption = BEAMS.find((name) => request[name] !== undefined);
  if (beamOption !== undefined && num_beams === 1) {
    throw invalid(beamOption, `${beamOption} has an effect only with num_beams over 1.`);
  }
  return {
    ...lengths(defaults, request),
    do_sample,
    temperature: request.temperature ?? defaults.temperature ?? 1,
    top_k: request.top_k ?? defaults.top_k ?? 50,
    top_p: request.top_p ?? defaults.top_p ?? 1,
    min_p: request.min_p ?? defaults.min_p ?? 0,
    repetition_penalty: request.repetition_penalty ?? defaults.repetition_penalty ?? 1,
    presence_penalty: request.presence_penalty ?? defaults.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? defaults.frequency_penalty ?? 0,
    logit_bias: request.logit_bias ?? new Map(),
    seed: request.seed ?? null,
    num_beams,
    length_penalty: request.length_penalty ?? defaults.length_penalty ?? 1,
    early_stopping: request.early_stopping ?? defaults.early_stopping ?? false,
    stop_strings: request.stop_strings ?? defaults.stop_strings ?? [],
    num_return_sequences,
    top_logprobs: request.top_logprobs ?? null,
    eos_token_id: defaults.eos_token_id,
    forced_eos_token_id: defaults.forced_eos_token_id ?? null,
  };
}

/** As in transformers: max_new_tokens says more than max_length. */
function lengths(
  defaults: GenerationDefaults,
  request: ChatOptions,
): Pick<GenerationConfig, 'max_new_tokens' | 'max_length'> {
  const max_new_tokens = request.max_new_tokens ?? defaults.max_new_tokens;
  if (max_new_tokens !== undefined) return { max_new_tokens, max_length: null };
  const { max_length } = defaults;
  return max_length === undefined
    ? { max_new_tokens: 20, max_length: null }
    : { max_new_tokens: Infinity, max_length };
}

function invalid(param: string, message: string): GlimpseError {
  return new GlimpseError('invalid_value', message, { param });
}
