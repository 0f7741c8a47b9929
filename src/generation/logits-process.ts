import type { GenerationConfig } from './config.ts';
import { softmax } from './softmax.ts';

/**
 * Changes the logits of the next token in place, most of them as the class of that name in
 * transformers' logits_process.py does. A token at -Infinity cannot come.
 * @param input_ids the prompt's tokens and those generated so far
 * @param logits [vocab_size]; log-probabilities in beam search
 */
export type LogitsProcessor = (input_ids: readonly number[], logits: Float32Array) => void;

/**
 * All that stands between the decoder and the choice of a token, in transformers' order; penalties
 * that it does not have come, as in vLLM, after repetition_penalty.
 * @param prompt_length how many of the input_ids that processors will see are the prompt
 */
export function createLogitsProcessors(
  config: GenerationConfig,
  prompt_length: number,
  constrain?: LogitsProcessor,
): readonly LogitsProcessor[] {
  const { presence_penalty, frequency_penalty, logit_bias } = config;
  const processors: LogitsProcessor[] = [];
  if (config.repetition_penalty !== 1) processors.push(repetitionPenalty(config.repetition_penalty));
  if (presence_penalty !== 0 || frequency_penalty !== 0) {
    processors.push(countPenalties(prompt_length, presence_penalty, frequency_penalty));
  }
  if (logit_bias.size > 0) processors.push(logitBias(logit_bias));
  if (constrain) processors.push(constrain);
  if (!config.do_sample) return processors;
  if (config.temperature !== 1) processors.push(temperature(config.temperature));
  if (config.top_k !== 0) processors.push(topK(config.top_k));
  if (config.top_p < 1) processors.push(topP(config.top_p));
  if (config.min_p > 0) processors.push(minP(config.min_p));
  return processors;
}

/** The last token that a limit allows is forced_eos_token_id, where there is one. */
export function forceEnd(
  { forced_eos_token_id: end }: GenerationConfig,
  prompt_length: number,
  limit: number,
): LogitsProcessor | undefined {
  if (end === null) return undefined;
  return (input_ids, logits) => {
    if (input_ids.length !== prompt_length + limit - 1) return;
    logits.fill(-Infinity);
    logits[end] = 0;
  };
}

/** Divides the positive and multiplies the negative logits of tokens seen (CTRL, arXiv 1909.05858). */
function repetitionPenalty(penalty: number): LogitsProcessor {
  return (input_ids, logits) => {
    for (const id of new Set(input_ids)) {
      const logit = logits[id];
      if (logit !== undefined) logits[id] = logit < 0 ? logit * penalty : logit / penalty;
    }
  };
}

/** Of the tokens generated, not of the prompt (platform.openai.com/docs/advanced-usage, and vLLM). */
function countPenalties(prompt_length: number, presence: number, frequency: number): LogitsProcessor {
  return (input_ids, logits) => {
    const counts = new Map<number, number>();
    for (const id of input_ids.slice(prompt_length)) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) logits[id] = (logits[id] ?? 0) - count * frequency - presence;
  };
}

function logitBias(bias: ReadonlyMap<number, number>): LogitsProcessor {
  return (_, logits) => {
    for (const [id, value] of bias) logits[id] = (logits[id] ?? 0) + value;
  };
}

function temperature(temperature: number): LogitsProcessor {
  return (_, logits) => {
    for (const [id, logit] of logits.entries()) logits[id] = logit / temperature;
  };
}

/** Keeps the k largest logits, and those equal to the smallest of them. */
function topK(k: number): LogitsProcessor {
  return (_, logits) => {
    const threshold = logits.toSorted()[Math.max(0, logits.length - k)] ?? -Infinity;
    for (const [id, logit] of logits.entries()) if (logit < threshold) logits[id] = -Infinity;
  };
}

/** Keeps the fewest likeliest tokens with probabilities of top_p in all, and always the likeliest. */
function topP(top_p: number): LogitsProcessor {
  return (_, logits) => {
    const probabilities = softmax(logits);
    const ascending = Array.from(logits.keys()).sort((a, b) => (logits[a] ?? 0) - (logits[b] ?? 0));
    ascending.pop();
    let cumulative = 0;
    for (const id of ascending) {
      cumulative += probabilities[id] ?? 0;
      if (cumulative > 1 - top_p) return;
      logits[id] = -Infinity;
    }
  };
}

/** Keeps the tokens with at least min_p of the likeliest one's probability (arXiv 2407.01082). */
function minP(min_p: number): LogitsProcessor {
  return (_, logits) => {
    const probabilities = softmax(logits);
    const threshold = min_p * probabilities.reduce((a, b) => Math.max(a, b), 0);
    for (const [id, probability] of probabilities.entries()) {
      if (probability < threshold) logits[id] = -Infinity;
    }
  };
}
