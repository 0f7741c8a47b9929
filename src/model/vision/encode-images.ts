import { createMutex } from '../mutex.ts';
import type { Stage } from '../stage.ts';
import type { ImageEncoder, PixelValues } from '../types.ts';
import type { VisionTransformerConfig } from './transformer-config.ts';
import type { VisionTransformer } from './vision-transformer.ts';

/** What comes of one image's features. */
export interface ConnectedImage {
  readonly image_embeds: Float32Array; // [tokens, hidden], the decoder's
  readonly pooler_output: Float32Array; // [features]
}

/** From features at an address, as the transformer leaves them, to rows of the decoder's width. */
export type Connector = (features: number) => ConnectedImage;

/** A vision transformer and what connects it to the decoder, as an encoder of whole images. */
export function createTransformerEncoder(
  transformer: VisionTransformer,
  connector: Stage<Connector>,
  config: VisionTransformerConfig,
  [tokens, width]: readonly [tokens: number, width: number],
): ImageEncoder {
  // The transformer yields between layers; images take turns, so that one's memory is enough.
  const mutex = createMutex();
  return {
    encode(pixel_values, signal) {
      requireShape(pixel_values, config);
      return mutex(async () => {
        const [batch] = pixel_values.shape;
        const data = new Float32Array(batch * tokens * width);
        let written = 0;
        let pooler_output: Float32Array = new Float32Array();
        for await (const maps of transformer.features(pixel_values, signal)) {
          const images = await connector.use((connect) => Promise.resolve(maps.map(connect)), signal);
          for (const image of images) {
            data.set(image.image_embeds, written);
            written += image.image_embeds.length;
            pooler_output = image.pooler_output; // at last that of the whole image, which stands behind its tiles
          }
        }
        return { data, shape: [batch * tokens, width], grid: pixel_values.grid, pooler_output };
      });
    },
  };
}

function requireShape({ shape }: PixelValues, { num_channels, image_size }: VisionTransformerConfig): void {
  const expected = [num_channels, image_size, image_size];
  if (shape.slice(1).join() !== expected.join()) {
    throw new TypeError(`pixel_values are [${shape.join()}], the encoder takes [batch,${expected.join()}]`);
  }
}
