import { GlimpseError } from '../errors.ts';
import { TensorPastKeyValues } from './past-key-values.ts';
import type { Feeds, Graph, GraphInput, Runtime, Tensor } from './runtime.ts';
import { booleans, empty, floats, integers, joined, oneOf } from './tensors.ts';

/** decoder_model_merged: one graph for a sequence's beginning and for every step after it. */
export interface DecoderGraph {
  /** See Decoder: of keys and values that grow with the sequence. */
  readonly bytes_per_position: number;
  create(): TensorPastKeyValues;
  /**
   * Extends sequences, those together that are of one length and are extended by as many rows.
   * @returns for each the logits that follow its last row. // [vocab_size]
   */
  extend(batch: readonly Extension[]): Promise<readonly Float32Array[]>;
}

export interface Extension {
  readonly past: TensorPastKeyValues;
  /** The inputs that hold its rows. // each [1, ...] */
  readonly own: Feeds;
  readonly rows: number;
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
  const isFree = pasts.every(([, { shape }]) => typeof shape[0] === 'string'); // the batch's size
  const start = Object.fromEntries(pasts.map(([name, input]) => [name, empty(runtime, input)]));
  const unknown = [...graph.inputs.keys()].filter(
    (name) => !name.startsWith(PAST) && !own.includes(name) && !COUNTED.includes(name),
  );
  if (unknown.length > 0 || pasts.length === 0) {
    const why =
      pasts.length === 0 ? 'no past_key_values' : `inputs that are not known: ${unknown.join(', ')}`;
    throw new GlimpseError('bundle_invalid', `decoder_model_merged has ${why}. Export the model otherwise.`);
  }

  const counted = (length: number, rows: number, batch: number): Feeds => {
    const ids = (own: readonly number[]): Tensor =>
      integers(runtime, Array.from({ length: batch }, () => own).flat(), [batch, own.length]);
    const all: Readonly<Record<string, () => Tensor>> = {
      attention_mask: () => ids(Array.from({ length: length + rows }, () => 1)),
      position_ids: () => ids(Array.from({ length: rows }, (_, row) => length + row)),
      use_cache_branch: () => booleans(runtime, length > 0, [1]),
      num_logits_to_keep: () => integers(runtime, [1], []),
    };
    const wanted = Object.entries(all).filter(([name]) => graph.inputs.has(name));
    return Object.fromEntries(wanted.map(([name, make]) => [name, make()]));
  };

  /** Of one length and as many rows each. */
  async function pass(batch: readonly [Extension, ...Extension[]]): Promise<readonly Float32Array[]> {
    const [{ past, rows }] = batch;
    const { length } = past;
    const outputs = await graph.run({
      ...together(
        runtime,
        batch.map(({ past }) => past.tensors),
      ),
      ...counted(length, rows, batch.length),
      ...together(
        runtime,
        batch.map(({ own }) => own),
      ),
    });
    const logits = floats(outputs, 'logits'); // [batch, rows, vocab_size], or the last rows alone
    if (outputs.logits?.dims.at(-1) !== vocab_size) {
      throw new GlimpseError('bundle_invalid', `config.json gives a vocab_size that is not the decoder's.`);
    }
    return batch.map(({ past }, index) => {
      past.extend(presents(runtime, outputs, past.tensors, length > 0, index), rows);
      const end = (logits.length / batch.length) * (index + 1);
      return logits.slice(end - vocab_size, end);
    });
  }

  const growing = pasts.filter(([name]) => !name.includes('.encoder.'));
  return {
    bytes_per_position: growing.reduce((sum, [, { shape }]) => sum + 4 * fixedElements(shape), 0),
    create: () => new TensorPastKeyValues(start),
    async extend(batch) {
      for (const { past, rows } of batch) requireRoom(past.length + rows, max_position_embeddings);
      const logits = new Map<Extension, Float32Array>();
      const groups = Map.groupBy(batch, (extension) => (isFree ? kindOf(extension) : extension));
      for (const [first, ...others] of groups.values()) {
        if (first === undefined) continue;
        const group = [first, ...others] as const;
        const found = await pass(group);
        group.forEach((extension, index) => logits.set(extension, found[index] ?? new Float32Array(0)));
      }
      return batch.map((extension) => logits.get(extension) ?? new Float32Array(0));
    },
  };
}

/** Elements of a tensor, its free dimensions counted once: those are the batch and the positions. */
function fixedElements(shape: GraphInput['shape']): number {
  return shape.reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1);
}

const kindOf = ({ past, rows }: Extension): string => `${past.length} ${rows}`;

/** Tensors of several sequences by name, each name's in a batch. */
function together(runtime: Runtime, [first, ...others]: readonly Feeds[]): Feeds {
  return Object.fromEntries(
    Object.entries(first ?? {}).map(([name, tensor]) => {
      const more = others.flatMap((feeds) => feeds[name] ?? []);
      return [name, joined(runtime, [tensor, ...more])];
    }),
  );
}

/** One sequence's keys and values behind a pass. Those of an encoder are made by the first and empty after it. */
function presents(
  runtime: Runtime,
  outputs: Feeds,
  before: Feeds,
  isContinued: boolean,
  index: number,
): Feeds {
  const names = Object.keys(before);
  return Object.fromEntries(
    names.map((name) => {
      if (isContinued && name.includes('.encoder.')) return [name, before[name]];
      const present = outputs[name.replace(PAST, 'present.')];
      if (present === undefined) {
        throw new GlimpseError('bundle_invalid', `decoder_model_merged takes ${name} and gives none.`);
      }
      return [name, oneOf(runtime, present, index)];
    }),
  ) as Feeds;
}

function requireRoom(length: number, max_position_embeddings: number): void {
  if (length <= max_position_embeddings) return;
  throw new GlimpseError(
    'context_length_exceeded',
    `The sequence has ${length} tokens; the model's context is ${max_position_embeddings}.`,
  );
}
