/** The kernels' builds on Node, read from build/ (`npm run build`). The Worker imports them as modules instead. */
import { readFileSync } from 'node:fs';
import type { KernelModules } from './engine.ts';

export const nodeKernelModules: KernelModules = {
  relaxed: () => compile('relaxed'),
  simd: () => compile('simd'),
};

function compile(build: string): WebAssembly.Module {
  const url = new URL(`../../build/kernels.${build}.wasm`, import.meta.url);
  return new WebAssembly.Module(readFileSync(url));
}
