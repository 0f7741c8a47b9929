import { nodeKernelModules } from '../../../src/kernels/modules-node.ts';
import { createEngine, type Linear } from '../../../src/kernels/engine.ts';
import type { Idefics3Config } from '../../../src/model/idefics3.ts';
import { patchesPerSide } from '../../../src/model/vision/transformer-config.ts';
import { packLayers, randomWeights, type Product } from '../products.ts';

/** What a model's products alone take, in our kernels: no attention, no norms, nothing fetched or unpacked. */
export interface Floor {
  /** Vision transformer and connector over one image that is not split. */
  readonly tile: () => void;
  /** The decoder over so many rows, with logits for the last. */
  readonly decode: (rows: number) => void;
}

/** Each layer's weights at an address of their own, so that they come from memory as a model's do. */
export function createFloor({ vision_config, text_config, scale_factor }: Idefics3Config): Floor {
  const engine = createEngine(nodeKernelModules, 2 ** 28);
  const patches = patchesPerSide(vision_config) ** 2;
  const { hidden_size: width, intermediate_size: middle, num_hidden_layers: layers } = vision_config;
  const vision = [
    { k: vision_config.num_channels * vision_config.patch_size ** 2, n: width, count: 1 },
    { k: width, n: 3 * width, count: layers },
    { k: width, n: width, count: layers },
    { k: width, n: middle, count: layers },
    { k: middle, n: width, count: layers },
  ].map(pack);
  const { hidden_size: hidden, num_attention_heads: heads, num_key_value_heads, head_dim } = text_config;
  const { intermediate_size, num_hidden_layers: count } = text_config;
  const connector = pack({ k: scale_factor ** 2 * width, n: hidden, count: 1 });
  const decoder = [
    { k: hidden, n: (heads + 2 * num_key_value_heads) * head_dim, count },
    { k: heads * head_dim, n: hidden, count },
    { k: hidden, n: 2 * intermediate_size, count },
    { k: intermediate_size, n: hidden, count },
  ].map(pack);
  const head = pack({ k: hidden, n: text_config.vocab_size, count: 1 });

  const widest = 4 * patches * Math.max(middle, 3 * width, 2 * intermediate_size);
  const [x, y] = [engine.memory.alloc(widest), engine.memory.alloc(widest)];
  new Float32Array(engine.memory.memory.buffer, x, widest / 4).fill(0.5);

  function pack(product: Product): readonly Linear[] {
    return packLayers(engine, randomWeights(product), product.count);
  }
  function run(groups: readonly (readonly Linear[])[], rows: number): void {
    for (const group of groups) for (const linear of group) engine.matmul(linear, x, y, rows);
  }
  return {
    tile() {
      run(vision, patches);
      run([connector], patches / scale_factor ** 2);
    },
    decode(rows) {
      run(decoder, rows);
      run([head], 1);
    },
  };
}
