import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema, type PreprocessorConfig } from '../../src/image/preprocessor-config.ts';
import { DEFAULT_CONFIG, photo, pictureOf } from './fixtures.ts';

/** preprocessor_config.json of SmolVLM-256M-Instruct. */
const SMOLVLM = {
  do_convert_rgb: true,
  do_image_splitting: true,
  do_normalize: true,
  do_pad: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_processor_type: 'Idefics3ImageProcessor',
  image_std: [0.5, 0.5, 0.5],
  max_image_size: { longest_edge: 512 },
  processor_class: 'Idefics3Processor',
  resample: 1,
  rescale_factor: 1 / 255,
  size: { longest_edge: 2048 },
};

/** preprocessor_config.json of donut-base-finetuned-docvqa. */
const DONUT = {
  do_align_long_axis: false,
  do_normalize: true,
  do_pad: true,
  do_resize: true,
  do_thumbnail: true,
  image_processor_type: 'DonutImageProcessor',
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  processor_class: 'DonutProcessor',
  resample: 2,
  size: [1920, 2560],
};

async function valuesOf(picture: Uint8Array, config: PreprocessorConfig): Promise<Float32Array> {
  return (await preprocessImage(picture, config, DEFAULT_LIMITS)).read(0);
}

describe('preprocessor_config.json', () => {
  it("the default model's gives (byte - 127) / 128", async () => {
    const bytes = preprocessorConfigSchema.parse({
      size: { height: 224, width: 224 },
      resample: 2,
      do_rescale: false,
      do_normalize: false,
    });
    const raw = await valuesOf(photo('chelsea.png'), bytes);
    const config = preprocessorConfigSchema.parse(DEFAULT_CONFIG);
    const data = await valuesOf(photo('chelsea.png'), config);
    expect(data.length).toBe(3 * 224 * 224);
    expect(new Set(raw).size).toBeGreaterThan(100);
    raw.forEach((byte, i) => {
      if (Math.abs((data[i] ?? NaN) - (byte - 127) / 128) > 1e-7) expect(data[i]).toBe((byte - 127) / 128);
    });
  });

  it('the mean and standard deviation are those of each channel', async () => {
    const config = preprocessorConfigSchema.parse({
      ...DEFAULT_CONFIG,
      size: { height: 1, width: 1 },
      image_mean: [0.1, 0.2, 0.3],
      image_std: [0.5, 0.25, 0.125],
    });
    const data = await valuesOf(pictureOf('png square, dot, filter 2'), config);
    const plain = preprocessorConfigSchema.parse({
      ...DEFAULT_CONFIG,
      size: { height: 1, width: 1 },
      do_normalize: false,
    });
    const [r = NaN, g = NaN, b = NaN] = await valuesOf(pictureOf('png square, dot, filter 2'), plain);
    expect(data[0]).toBeCloseTo((r - 0.1) / 0.5, 5);
    expect(data[1]).toBeCloseTo((g - 0.2) / 0.25, 5);
    expect(data[2]).toBeCloseTo((b - 0.3) / 0.125, 5);
  });

  it('pads with the mean, which normalises to about 0', async () => {
    const config = preprocessorConfigSchema.parse({
      ...DEFAULT_CONFIG,
      size: { longest_edge: 20 },
      do_pad: true,
    });
    const data = await valuesOf(pictureOf('png square, wide, filter 2'), config);
    expect(data[0]).toBeCloseTo(0, 5);
  });

  it('takes what SmolVLM is published with', () => {
    const config = preprocessorConfigSchema.parse({
      ...SMOLVLM,
      ...{ _valid_processor_keys: [], video_sampling: { fps: 1 }, pad_size: null, device: null },
    });
    expect(config).toMatchObject({ kind: 'tiles', longest_edge: 2048, tile: 512, split: true });
  });

  it('takes what Donut is published with', () => {
    const canvas = { height: 2560, width: 1920 };
    expect(preprocessorConfigSchema.parse(DONUT)).toMatchObject({ kind: 'thumbnail', canvas });
    const { image_processor_type: feature_extractor_type, ...old } = DONUT;
    const file = { ...old, feature_extractor_type, size: canvas, do_rescale: true, random_padding: false };
    expect(preprocessorConfigSchema.parse(file)).toMatchObject({ kind: 'thumbnail', canvas });
  });

  it('takes what TrOCR is published with: a crop_size that is not used', () => {
    const fields = { feature_extractor_type: 'DeiTFeatureExtractor', size: 384, crop_size: 224 };
    const config = preprocessorConfigSchema.parse({ ...DEFAULT_CONFIG, ...fields, do_center_crop: false });
    expect(config).toMatchObject({ kind: 'fixed', canvas: { height: 384, width: 384 } });
  });

  it.each([
    ['that would be huge between its two resizes', [1920, 2560]],
    ['of which no row would be left', [24, 32]],
  ])('refuses for Donut a picture so long %s', async (_, size) => {
    const config = preprocessorConfigSchema.parse({ ...DONUT, size });
    await expect(valuesOf(pictureOf('jpeg 500x3 filter 2'), config)).rejects.toMatchObject({
      code: 'image_too_large',
      message: expect.stringContaining(`500x3, too long for this model`) as string,
    });
  });

  it.each([
    ['random padding', { random_padding: true }],
    ['no thumbnail', { do_thumbnail: false }],
    ['no padding', { do_pad: false }],
    ['a crop', { do_center_crop: true, crop_size: 224 }],
    ['a shortest edge', { size: { shortest_edge: 224 } }],
    ['an unknown field', { do_flip: true }],
    ['no mean', { image_mean: null }],
  ])('refuses of Donut %s', (_, change) => {
    expect(preprocessorConfigSchema.safeParse({ ...DONUT, ...change }).success).toBe(false);
  });

  it.each([
    ['CLIPFeatureExtractor', { size: 224, crop_size: 224, do_center_crop: true }, 224],
    ['ViTFeatureExtractor', { size: 224 }, null],
  ])('takes a file of 2022: %s', (feature_extractor_type, fields, shortest_edge) => {
    const config = preprocessorConfigSchema.parse({ ...DEFAULT_CONFIG, feature_extractor_type, ...fields });
    expect(config).toMatchObject({ shortest_edge, canvas: { height: 224, width: 224 } });
  });

  it.each([
    ['tiles of two sides', { max_image_size: { height: 512, width: 512 } }],
    ['no tiles', { max_image_size: undefined }],
    ['a size of one number', { size: 2048 }],
    ['an unknown field', { do_flip: true }],
    ['no mean', { image_mean: null }],
  ])('refuses of SmolVLM %s', (_, change) => {
    expect(preprocessorConfigSchema.safeParse({ ...SMOLVLM, ...change }).success).toBe(false);
  });

  it.each([
    ['an unknown class', { image_processor_type: 'LlavaNextImageProcessor' }],
    ['an unknown field', { do_flip: true }],
    ['another filter', { resample: 0 }],
    ['no filter', { resample: undefined }],
    ['no resize', { do_resize: false }],
    ['no size', { size: undefined }],
    ['a size of two kinds', { size: { height: 8, width: 8, shortest_edge: 8 } }],
    ['a size of zero', { size: { height: 0, width: 8 } }],
    ['shortest_edge without a crop', { size: { shortest_edge: 8 } }],
    ['longest_edge without padding', { size: { longest_edge: 8 } }],
    ['a crop larger than the stretched picture', { do_center_crop: true, crop_size: 225 }],
    ['a crop of no size', { do_center_crop: true }],
    ["DeiT's without its crop", { image_processor_type: 'DeiTImageProcessor' }],
    ['a crop larger than the picture', { size: { shortest_edge: 8 }, do_center_crop: true, crop_size: 9 }],
    ['a crop size that is not used', { crop_size: 8 }],
    ['a background that is not used', { background_color: [0, 0, 0] }],
    ['padding shortest_edge', { size: { shortest_edge: 8 }, do_pad: true }],
    ['a standard deviation of zero', { image_std: [1, 0, 1] }],
    ['no mean', { image_mean: undefined }],
    ['grey', { do_convert_rgb: false }],
  ])('refuses %s', (_, change) => {
    expect(preprocessorConfigSchema.safeParse({ ...DEFAULT_CONFIG, ...change }).success).toBe(false);
  });
});
