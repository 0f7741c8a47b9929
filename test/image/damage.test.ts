import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GlimpseError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { crc32 } from '../../src/image/png/chunks.ts';
import { inflateParts } from '../../src/image/png/inflate.ts';
import type { PixelValues } from '../../src/image/pixel-values.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../src/image/preprocessor-config.ts';
import { pictureOf } from './fixtures.ts';

const config = preprocessorConfigSchema.parse({
  size: { height: 16, width: 16 },
  resample: 2,
  do_normalize: false,
});
const preprocess = (bytes: Uint8Array): Promise<PixelValues> =>
  preprocessImage(bytes, config, DEFAULT_LIMITS);

async function codeOf(bytes: Uint8Array): Promise<string> {
  try {
    await preprocess(bytes);
    return 'ok';
  } catch (error) {
    if (!(error instanceof GlimpseError)) throw error;
    expect(error.param).toBe('image');
    return error.code;
  }
}

describe('damaged files', () => {
  it.each([
    'jpeg baseline 4:2:0',
    'jpeg progressive 4:2:0',
    'jpeg restart every 2 MCUs',
    'jpeg CMYK',
    'png type 2, 8 bits',
    'png type 3, 4 bits tRNS, interlaced',
  ])('%s: refused wherever it is cut short', async (name) => {
    const file = pictureOf(name);
    expect(await codeOf(file)).toBe('ok');
    for (let length = 8; length < file.length; length++) {
      expect(await codeOf(file.subarray(0, length)), `${length} bytes`).toBe('invalid_image');
    }
  });

  it('a PNG is refused for any one byte that is wrong', async () => {
    const file = pictureOf('png type 2, 8 bits');
    for (let at = 0; at < file.length; at++) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(await codeOf(damaged), `byte ${at}`).not.toBe('ok');
    }
  });

  it('what follows the end of the picture is passed over', async () => {
    for (const name of ['jpeg baseline 4:2:0', 'png type 2, 8 bits']) {
      const file = pictureOf(name);
      const longer = new Uint8Array(file.length + 100).fill(0xff);
      longer.set(file);
      expect((await preprocess(longer)).read(0)).toEqual((await preprocess(file)).read(0));
    }
  });

  it('a JPEG mutated at random gives a picture or a named error', async () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const codes = new Set<string>();
    for (let round = 0; round < 1500; round++) {
      const file = pictureOf(round % 2 === 0 ? 'jpeg baseline 4:2:0' : 'jpeg restart, progressive');
      for (let i = 0; i < 3; i++) file[2 + random(file.length - 2)] = random(256);
      codes.add(await codeOf(file));
    }
    expect([...codes].sort()).toEqual(['invalid_image', 'ok', 'unsupported_image']);
  });
});

describe('limits', () => {
  const chunk = (type: string, data: Uint8Array): readonly number[] => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const number = (value: number): readonly number[] =>
      [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
    return [...number(data.length), ...body, ...number(crc32(body))];
  };
  const png = (width: number, height: number, inflated: Uint8Array): Uint8Array => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header.set([8, 0], 8);
    return Uint8Array.from([
      ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
      ...chunk('IHDR', header),
      ...chunk('IDAT', deflateSync(inflated, { level: 9 })),
      ...chunk('IEND', new Uint8Array(0)),
    ]);
  };

  it('refuses by the size in the header', async () => {
    expect(await codeOf(png(6001, 6000, new Uint8Array(10)))).toBe('image_too_large');
    expect(await codeOf(png(6000, 6000, new Uint8Array(10)))).toBe('invalid_image'); // the largest grey, without its data
    expect(await codeOf(png(70_000, 1, new Uint8Array(70_001)))).toBe('image_too_large');
    await expect(preprocess(png(30_000, 20_000, new Uint8Array(10)))).rejects.toThrow(
      'The image is 30000x20000, 600.0 million samples (1 a pixel); a PNG may have 36 million. Send a smaller one.',
    );
  });

  it('believes the size in a header only if the header is whole', async () => {
    const file = png(30_000, 20_000, new Uint8Array(10));
    file[20] = (file[20] ?? 0) ^ 1; // of its height
    expect(await codeOf(file)).toBe('invalid_image');
  });

  it('a progressive JPEG is limited by its samples', async () => {
    const file = pictureOf('jpeg progressive 4:4:4');
    const limits = { ...DEFAULT_LIMITS, progressive_jpeg_samples: 41 * 27 * 3 };
    await expect(preprocessImage(file, config, limits)).resolves.toBeDefined();
    await expect(
      preprocessImage(file, config, { ...limits, progressive_jpeg_samples: 41 * 27 * 3 - 1 }),
    ).rejects.toMatchObject({ code: 'image_too_large' });
  });

  it('does not inflate what a bomb holds beyond its size', async () => {
    const inflated = new Uint8Array(50_000_000);
    expect(await codeOf(png(10, 10, inflated))).toBe('invalid_image');

    const stream = deflateSync(inflated, { level: 1 });
    let read = 0;
    const parts = Array.from({ length: Math.ceil(stream.length / 100) }, (_, i) => i);
    const counted = parts.map((i) => stream.subarray(100 * i, 100 * (i + 1)));
    for (const [i, part] of counted.entries()) {
      Object.defineProperty(counted, i, {
        get: () => {
          read++;
          return part;
        },
      });
    }
    const inflate = async (): Promise<void> => {
      for await (const part of inflateParts(counted, [110])) expect(part.length).toBe(110);
    };
    await expect(inflate()).rejects.toMatchObject({ code: 'invalid_image' });
    expect(parts.length).toBeGreaterThan(2000);
    expect(read).toBeLessThan(parts.length / 2);
  });

  it('other work gets its turn while a large picture is decoded', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await preprocess(png(2000, 2000, new Uint8Array(2000 * 2001)));
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(4);
  });
});
