import type { Decoder, DecoderInput, PastKeyValues } from '../../src/model/types.ts';
import {
  add,
  at,
  attend,
  multiply,
  rmsNorm,
  rotate,
  row,
  type LlamaConfig,
  type Vector,
} from './llama-math.ts';
import type { Float32Tensor } from './safetensors.ts';

/** Rows never change once written, so that forks share them. */
interface Sequence extends PastKeyValues {
  readonly keys: Vector[][]; // [layers][positions][kv heads * head width]
  readonly values: Vector[][];
}

export interface ReferenceDecoder extends Decoder {
  /** Sequences made and not released. */
  readonly live: number;
  /** How many sequences each call of forward had. */
  readonly batches: readonly number[];
}

/**
 * transformers' LlamaForCausalLM as plainly as it can be written, in double precision: the oracle
 * that generation and the WebAssembly decoder are held against.
 * @param tensors float weights by transformers' names; lm_head.weight is tied where it is missing
 */
export function createReferenceLlama(
  config: LlamaConfig,
  tensors: ReadonlyMap<string, Float32Tensor>,
): ReferenceDecoder {
  const live = new Map<PastKeyValues, Sequence>();
  const batches: number[] = [];

  function weight(name: string): Float32Tensor {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`no tensor ${name}`);
    return tensor;
  }

  function createSequence(keys: Vector[][], values: Vector[][]): Sequence {
    const sequence: Sequence = {
      keys,
      values,
      get length() {
        return keys[0]?.length ?? 0;
      },
      fork: () => {
        if (!live.has(sequence)) throw new Error('forked after release');
        return createSequence(
          keys.map((rows) => [...rows]),
          values.map((rows) => [...rows]),
        );
      },
      release: () => {
        if (!live.delete(sequence)) throw new Error('released twice');
      },
    };
    live.set(sequence, sequence);
    return sequence;
  }

  function layer(x: Vector, index: number, { keys, values }: Sequence): Vector {
    const name = `model.layers.${index}`;
    const normed = rmsNorm(x, weight(`${name}.input_layernorm.weight`), config.rms_norm_eps);
    const project = (part: string): Vector =>
      multiply(weight(`${name}.self_attn.${part}_proj.weight`), normed);
    const layerKeys = keys[index] ?? [];
    const layerValues = values[index] ?? [];
    const position = layerKeys.length;
    const query = rotate(project('q'), position, config);
    layerKeys.push(rotate(project('k'), position, config));
    layerValues.push(project('v'));
    const attended = attend(query, layerKeys, layerValues, config);
    const y = add(x, multiply(weight(`${name}.self_attn.o_proj.weight`), attended));
    const z = rmsNorm(y, weight(`${name}.post_attention_layernorm.weight`), config.rms_norm_eps);
    const gate = multiply(weight(`${name}.mlp.gate_proj.weight`), z);
    const up = multiply(weight(`${name}.mlp.up_proj.weight`), z);
    const inner = gate.map((g, i) => (g / (1 + Math.exp(-g))) * at(up, i));
    return add(y, multiply(weight(`${name}.mlp.down_proj.weight`), inner));
  }

  function extend(input: DecoderInput): Float32Array {
    const sequence = live.get(input.past_key_values);
    if (sequence === undefined) throw new Error('not a live sequence of this decoder');
    const embedding = weight('model.embed_tokens.weight');
    const rows =
      'input_ids' in input
        ? input.input_ids.map((id) => row(embedding.data, id, config.hidden_size))
        : Array.from({ length: input.inputs_embeds.length / config.hidden_size }, (_, i) =>
            row(input.inputs_embeds, i, config.hidden_size),
          );
    if (sequence.length + rows.length > config.max_position_embeddings) throw new Error('beyond the context');
    let last: Vector = new Float64Array(config.hidden_size);
    for (const embedded of rows) {
      last = embedded;
      for (let index = 0; index < config.num_hidden_layers; index++) last = layer(last, index, sequence);
    }
    const normed = rmsNorm(last, weight('model.norm.weight'), config.rms_norm_eps);
    return Float32Array.from(multiply(tensors.get('lm_head.weight') ?? embedding, normed));
  }

  return {
    vocab_size: config.vocab_size,
    max_position_embeddings: config.max_position_embeddings,
    bytes_per_position: 8,
    batches,
    get live() {
      return live.size;
    },
    create() {
      const perLayer = (): Vector[][] => Array.from({ length: config.num_hidden_layers }, () => []);
      return createSequence(perLayer(), perLayer());
    },
    forward(batch) {
      batches.push(batch.length);
      return Promise.resolve(batch.map(extend));
    },
  };
}
