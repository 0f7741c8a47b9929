/**
 * Peak memory and time of preprocessing images, each in a process of its own.
 *
 *   node scripts/bench/image-memory.ts photo.jpg [another.png ...]
 *
 * What is measured is the growth of the resident set at its highest (VmHWM of /proc/self/status, Linux)
 * over what the idle process had after a collection. That counts all there is: heap, compiled code,
 * array buffers, garbage not yet collected and what the allocator keeps. The encoded
 * file is read before the mark is set, so it comes on top; its size is given.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readHeader } from '../../src/image/header.ts';
import { preprocessImage } from '../../src/image/preprocess.ts';
import { preprocessorConfigSchema } from '../../src/image/preprocessor-config.ts';

const MEGABYTE = 2 ** 20;
const NO_LIMITS = {
  baseline_jpeg_pixels: Infinity,
  progressive_jpeg_samples: Infinity,
  png_samples: Infinity,
  interlaced_png_pixels: Infinity,
};
const CONFIG = preprocessorConfigSchema.parse({
  size: { height: 224, width: 224 },
  resample: 2,
  image_mean: [127 / 255, 127 / 255, 127 / 255],
  image_std: [128 / 255, 128 / 255, 128 / 255],
});

const residentBytes = (field: 'VmHWM' | 'VmRSS'): number => {
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line?.[1]) * 1024;
};

async function measure(path: string): Promise<void> {
  const bytes = new Uint8Array(readFileSync(path));
  globalThis.gc?.();
  const idle = residentBytes('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5'); // sets VmHWM back to VmRSS

  const start = performance.now();
  await preprocessImage(bytes, CONFIG, NO_LIMITS);
  const seconds = (performance.now() - start) / 1000;
  const peak = residentBytes('VmHWM') - idle;

  const { encoding, width, height } = readHeader(bytes);
  console.log(
    [
      encoding.padEnd(17),
      `${width}x${height}`.padEnd(10),
      `${((width * height) / 1e6).toFixed(1)} MP`.padStart(8),
      `file ${(bytes.length / MEGABYTE).toFixed(1)} MB`.padStart(13),
      `peak +${(peak / MEGABYTE).toFixed(1)} MB`.padStart(14),
      `${seconds.toFixed(2)} s`.padStart(8),
    ].join('  '),
  );
}

const [first, second] = process.argv.slice(2);
if (first === '--child' && second) {
  await measure(second);
} else {
  for (const path of process.argv.slice(2)) {
    const script = fileURLToPath(import.meta.url);
    const flags = ['--expose-gc', ...process.execArgv];
    process.stdout.write(execFileSync(process.execPath, [...flags, script, '--child', path]));
  }
}
