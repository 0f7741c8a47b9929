/** Compiles src/kernels/assembly to build/kernels.{relaxed,simd}.wasm. */
import { execFileSync } from 'node:child_process';

// The compiler runs as a program: its types, imported, would replace those of JavaScript's own arrays.
const ASC = 'node_modules/assemblyscript/bin/asc.js';
// 112: vectors between functions of one module never meet JavaScript.
// -O0: V8 optimises the code itself, and Binaryen's reordering of accumulator chains makes it spill registers.
const FLAGS =
  '--runtime stub -O0 --noAssert --importMemory --memoryBase 1024 --enable simd --disableWarning 112'.split(
    ' ',
  );

for (const [name, flags] of [
  ['relaxed', ['--enable', 'relaxed-simd']],
  ['simd', []],
] as const) {
  const output = ['--outFile', `build/kernels.${name}.wasm`];
  const entry = `src/kernels/assembly/${name}.ts`;
  execFileSync(process.execPath, [ASC, entry, ...FLAGS, ...flags, ...output], { stdio: 'inherit' });
}
