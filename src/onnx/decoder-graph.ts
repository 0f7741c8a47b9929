import { GlimpseError } from '../errors.ts';
import { TensorPastKeyValues } from './past-key-values.ts';
import type { Feeds, Graph, GraphInput, Runtime, Tensor } from './runtime.ts';
import { booleans, empty, floats, integers } from './tensors.ts';

/** decoder_model_merged: one graph for a sequence's beginning and for every step after it. */
export interface DecoderGraph {
  /** See Decoder: of keys and values that grow with the sequence. */
  readonly bytes_per_position: number;
  create(): TensorPastKeyValues;
  /**
   * Extends a sequence by rows.
   * @param own the inputs that hold them
   * @returns the logits that follow the last. // [vocab_size]
   */
  extend(past: TensorPastKeyValues, own: Feeds, rows: number): Promise<Float32Array>;
}

export interface DecoderShape {
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
}

const PAST = 'past_key_values.';
/** Inputs that follow from how many positions there are and how many come. */
const COUNTED = ['attention_mask', 'position_ids', 'use_cache_branch', 'num_logits_to_keep'];

/**
 * @param own the inputs that its family gives it
 * @throws GlimpseError bundle_invalid for a graph with an input that nothing here gives
 */
export function createDecoderGraph(
  runtime: Runtime,
  graph: Graph,
  { vocab_size, max_position_embeddings }: DecoderShape,
  own: readonly string[],
): DecoderGraph {
  const pasts = [...graph.inputs].filter(([name]) => name.startsWith(PAST));
  const start = Object.fromEntries(pasts.map(([name, input]) => [name, empty(runtime, input)]));
  const unknown = [...graph.inputs.keys()].filter(
    (name) => !name.startsWith(PAST) && !own.includes(name) && !COUNTED.includes(name),
  );
  if (unknown.length > 0 || pasts.length === 0) {
    const why =
      pasts.length === 0 ? 'no past_key_values' : `inputs that are not known: ${unknown.join(', ')}`;
    throw new GlimpseError('bundle_invalid', `decoder_model_merged has ${why}. Export the model otherwise.`);
  }

  const ids = (values: Iterable<number>): Tensor => {
    const list = [...values];
    return integers(runtime, list, [1, list.length]);
  };
  const counted = (length: number, rows: number): Feeds => {
    const all: Readonly<Record<string, () => Tensor>> = {
      attention_mask: () => ids(Array.from({ length: length + rows }, () => 1)),
      position_ids: () => ids(Array.from({ length: rows }, (_, row) => length + row)),
      use_cache_branch: () => booleans(runtime, length > 0, [1]),
      num_logits_to_keep: () => integers(runtime, [1], []),
    };
    const wanted = Object.entries(all).filter(([name]) => graph.inputs.has(name));
    return Object.fromEntries(wanted.map(([name, make]) => [name, make()]));
  };

  const growing = pasts.filter(([name]) => !name.includes('.encoder.'));
  return {
    bytes_per_position: growing.reduce((sum, [, { shape }]) => sum + 4 * fixedElements(shape), 0),
    create: () => new TensorPastKeyValues(start),
    async extend(past, own, rows) {
      requireRoom(past.length + rows, max_position_embeddings);
      const before = past.tensors;
      const outputs = await graph.run({ ...before, ...counted(past.length, rows), ...own });
      const logits = floats(outputs, 'logits'); // [1, rows, vocab_size], or the last row's alone
      if (outputs.logits?.dims.at(-1) !== vocab_size) {
        throw new GlimpseError('bundle_invalid', `config.json gives a vocab_size that is not the decoder's.`);
      }
      past.extend(presents(outputs, before, past.length > 0), rows);
      return logits.slice(logits.length - vocab_size);
    },
  };
}

/** Elements of a tensor, its free dimensions counted once: those are the batch and the positions. */
function fixedElements(shape: GraphInput['shape']): number {
  return shape.reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1);
}

/** The keys and values behind a pass. Those of an encoder are made by the first and empty after it. */
function presents(outputs: Feeds, before: Feeds, isContinued: boolean): Feeds {
  const names = Object.keys(before);
  return Object.fromEntries(
    names.map((name) => {
      const present = outputs[name.replace(PAST, 'present.')];
      const kept = isContinued && name.includes('.encoder.') ? before[name] : present;
      if (kept === undefined) {
        throw new GlimpseError('bundle_invalid', `decoder_model_merged takes ${name} and gives none.`);
      }
      return [name, kept];
    }),
  );
}

function requireRoom(length: number, max_position_embeddings: number): void {
  if (length <= max_position_embeddings) return;
  throw new GlimpseError(
    'context_length_exceeded',
    `The sequence has ${length} tokens; the model's context is ${max_position_embeddings}.`,
  );
}
