import * as z from 'zod';

const size = z.int().positive();

/** EfficientNet-Lite (Tan, 2020, tensorflow/tpu): no squeeze and excitation, ReLU6 throughout. */
export const efficientNetLiteConfigSchema = z.object({
  model_type: z.literal('efficientnet-lite'),
  image_size: size,
  num_channels: size,
  stem_width: size,
  blocks: z.array(
    z.object({ expand_ratio: size, kernel_size: size, stride: size, width: size, repeats: size }),
  ),
  head_width: size,
  hidden_act: z.literal('relu6'),
  /** TensorFlow's SAME: outputs are ceil(input / stride); what is odd is padded behind. */
  padding: z.literal('same'),
});
export type EfficientNetLiteConfig = z.infer<typeof efficientNetLiteConfigSchema>;

/** One convolution's geometry over a square map. */
export interface Geometry {
  readonly kernel: number;
  readonly stride: number;
  readonly size: number;
  readonly out: number;
  readonly pad: number;
}

export function same(size: number, kernel: number, stride: number): Geometry {
  const out = Math.ceil(size / stride);
  const pad = Math.floor(Math.max(0, (out - 1) * stride + kernel - size) / 2);
  return { kernel, stride, size, out, pad };
}

/** An inverted residual block (Sandler et al., 2018). */
export interface BlockShape {
  readonly name: string;
  readonly expand: boolean;
  readonly input: number;
  readonly hidden: number;
  readonly width: number;
  readonly geometry: Geometry;
  readonly skip: boolean;
}

/** The blocks one by one, repeats written out. */
export function blockShapes(config: EfficientNetLiteConfig): readonly BlockShape[] {
  const shapes: BlockShape[] = [];
  let input = config.stem_width;
  let { out } = same(config.image_size, 3, 2);
  for (const { expand_ratio, kernel_size, stride, width, repeats } of config.blocks) {
    for (let i = 0; i < repeats; i++) {
      const geometry = same(out, kernel_size, i === 0 ? stride : 1);
      shapes.push({
        name: `blocks.${shapes.length}`,
        expand: expand_ratio !== 1,
        input,
        hidden: input * expand_ratio,
        width,
        geometry,
        skip: geometry.stride === 1 && input === width,
      });
      input = width;
      out = geometry.out;
    }
  }
  return shapes;
}

/** Rows (and columns) of the last feature map. */
export function outputSize(config: EfficientNetLiteConfig): number {
  return config.blocks.reduce(
    (size, { stride }) => Math.ceil(size / stride),
    same(config.image_size, 3, 2).out,
  );
}
