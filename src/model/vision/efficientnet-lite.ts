import { yieldToEventLoop } from '../../event-loop.ts';
import type { Engine, Linear } from '../../kernels/engine.ts';
import type { Weights } from '../weights.ts';
import { blockShapes, outputSize, same, type BlockShape, type EfficientNetLiteConfig } from './config.ts';

export interface VisionEncoder {
  /** Features of one image. */
  readonly tokens: number;
  readonly width: number;
  /**
   * @param pixel_values address of [channels, size, size]
   * @returns address of the last feature map [tokens, width], valid until the next call. Calls must not overlap.
   */
  forward(pixel_values: number, signal?: AbortSignal): Promise<number>;
}

interface Block {
  readonly shape: BlockShape;
  readonly expand: Linear | undefined;
  readonly depthwise: { readonly weight: number; readonly bias: number };
  readonly project: Linear;
}

/** Maps stand channels last, [pixels, channels], so that a 1x1 convolution is one product. */
export async function createEfficientNetLite(
  engine: Engine,
  weights: Weights,
  config: EfficientNetLiteConfig,
): Promise<VisionEncoder> {
  const { memory, kernels, matmul } = engine;
  const stemGeometry = same(config.image_size, 3, 2);
  const stem = {
    weight: await weights.convolution('vision_tower.stem', [config.stem_width, config.num_channels, 3]),
    bias: await weights.floats('vision_tower.stem.bias', config.stem_width),
  };
  const shapes = blockShapes(config);
  const blocks: Block[] = [];
  for (const shape of shapes) blocks.push(await loadBlock(weights, shape));
  const head = await weights.linear('vision_tower.head', config.blocks.at(-1)?.width ?? 0, config.head_width);
  const tokens = outputSize(config) ** 2;

  // Four maps, kept: a block's input and output in turn, its expansion and its depthwise result.
  const room = (sizes: readonly number[]): number => memory.alloc(4 * Math.max(...sizes));
  const inputs = shapes.map(({ geometry, input }) => geometry.size ** 2 * input);
  const outputs = shapes.map(({ geometry, width }) => geometry.out ** 2 * width);
  const maps = [room([...inputs, ...outputs]), room([...inputs, ...outputs])] as const;
  const expanded = shapes.map(({ geometry, hidden }) => geometry.size ** 2 * hidden);
  const wide = room([...expanded, tokens * config.head_width]);
  const filtered = room(shapes.map(({ geometry, hidden }) => geometry.out ** 2 * hidden));

  function runStem(pixel_values: number, y: number): void {
    const { size, out, kernel, stride, pad } = stemGeometry;
    const { num_channels: channels, stem_width: width } = config;
    kernels.stem_relu6(
      ...[pixel_values, stem.weight, stem.bias, y],
      ...[channels, size, size, width, out, out, kernel, stride, pad],
    );
  }

  function runBlock({ shape, expand, depthwise, project }: Block, x: number, y: number): void {
    const { size, out, kernel, stride, pad } = shape.geometry;
    if (expand) matmul(expand, x, wide, size * size, { act: 'relu6' });
    kernels.depthwise_relu6(
      ...[expand ? wide : x, depthwise.weight, depthwise.bias, filtered],
      ...[size, size, shape.hidden, out, kernel, stride, pad, 0, out],
    );
    matmul(project, filtered, y, out * out, shape.skip ? { residual: x } : {});
  }

  return {
    tokens,
    width: config.head_width,
    async forward(pixel_values, signal) {
      let [x, y] = maps;
      runStem(pixel_values, x);
      for (const block of blocks) {
        if (block.shape.geometry.stride > 1) {
          await yieldToEventLoop(); // once a resolution: a turn costs workerd a millisecond
          signal?.throwIfAborted();
        }
        runBlock(block, x, y);
        [x, y] = [y, x];
      }
      matmul(head, x, wide, tokens, { act: 'relu6' });
      return wide;
    },
  };
}

async function loadBlock(weights: Weights, shape: BlockShape): Promise<Block> {
  const name = `vision_tower.${shape.name}`;
  return {
    shape,
    expand: shape.expand ? await weights.linear(`${name}.expand`, shape.input, shape.hidden) : undefined,
    depthwise: {
      weight: await weights.convolution(`${name}.dw`, [shape.hidden, 1, shape.geometry.kernel]),
      bias: await weights.floats(`${name}.dw.bias`, shape.hidden),
    },
    project: await weights.linear(`${name}.project`, shape.hidden, shape.width),
  };
}
