import { GlimpseError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import { WasmMemory } from './memory.ts';
import { hasRelaxedSimd } from './probe.ts';
import { agreesWithReference } from './self-check.ts';

export type KernelBuild = 'relaxed' | 'simd';

/** The two builds, compiled when asked for: an engine without relaxed SIMD cannot compile the other. */
export type KernelModules = Readonly<Record<KernelBuild, () => WebAssembly.Module>>;

/** A linear layer whose weights lie packed in the kernels' memory. */
export interface Linear {
  readonly bits: 4 | 8;
  readonly in_features: number;
  readonly out_features: number; // % 8 == 0
  readonly weight: number;
  /** float32 [out_features], or 0. */
  readonly bias: number;
}

/** In transformers' names. */
export type Activation = 'none' | 'relu6' | 'gelu_pytorch_tanh' | 'gelu' | 'quick_gelu';
const ACTIVATION: Readonly<Record<Activation, number>> = {
  none: 0,
  relu6: 1,
  gelu_pytorch_tanh: 2,
  gelu: 3,
  quick_gelu: 4,
};

export interface MatmulOptions {
  readonly act?: Activation;
  /** float32 [rows, out_features] added at the end; not y itself. */
  readonly residual?: number;
}

/** The kernels over one memory. */
export interface Engine {
  readonly build: KernelBuild;
  readonly memory: WasmMemory;
  readonly kernels: KernelExports;
  /** y = act(x W^T + bias) + residual. x: [rows, in_features], y: [rows, out_features] */
  readonly matmul: (linear: Linear, x: number, y: number, rows: number, options?: MatmulOptions) => void;
}

/** Rows that a product quantises at a time, and the most bytes of them: so they stay in the second-level cache. */
const CHUNK = 64;
const CHUNK_BYTES = 512 * 1024;
/** Of 32 quantised activations (assembly/quantize.ts). */
const RECORD = 80;
/** Static data of both builds ends below; `--memoryBase` in scripts/build-kernels.ts is where it begins. */
const HEAP_BASE = 8_192;

/**
 * Instantiates the fastest build that this engine runs and that computes the reference vector right.
 * @param limit most bytes of memory the kernels may take
 * @throws internal_error where neither build computes right
 */
export function createEngine(modules: KernelModules, limit: number, builds?: readonly KernelBuild[]): Engine {
  const candidates = builds ?? (hasRelaxedSimd() ? (['relaxed', 'simd'] as const) : (['simd'] as const));
  for (const build of candidates) {
    const engine = instantiate(modules[build](), build, limit);
    if (agreesWithReference(engine)) return engine;
  }
  throw new GlimpseError('internal_error', 'The WebAssembly kernels do not compute right on this machine.');
}

function instantiate(module: WebAssembly.Module, build: KernelBuild, limit: number): Engine {
  const memory = new WasmMemory(HEAP_BASE, limit);
  const { exports } = new WebAssembly.Instance(module, { env: { memory: memory.memory, abort } });
  const kernels = exports as unknown as KernelExports;
  const workspace = createWorkspace(memory);

  function matmul(linear: Linear, x: number, y: number, rows: number, options: MatmulOptions = {}): void {
    const { in_features: k, out_features: n, weight, bias } = linear;
    const { a, panel, chunk } = workspace(k);
    const product = linear.bits === 4 ? kernels.matmul_q4 : kernels.matmul_q8;
    product(
      weight,
      x,
      y,
      rows,
      k,
      n,
      bias,
      ACTIVATION[options.act ?? 'none'],
      options.residual ?? 0,
      a,
      panel,
      chunk,
    );
  }
  return { build, memory, kernels, matmul };
}

interface Workspace {
  readonly a: number;
  readonly panel: number;
  /** Rows that `a` has room for, a multiple of 4. */
  readonly chunk: number;
}

/** Room for quantised rows and an unpacked tile, kept for the widest layer seen. */
function createWorkspace(memory: WasmMemory): (k: number) => Workspace {
  let widest = 0;
  let current = { a: 0, panel: 0 };
  return (k) => {
    const blocks = Math.ceil(k / 32);
    if (blocks > widest) {
      if (widest > 0) {
        memory.free(current.a);
        memory.free(current.panel);
      }
      widest = blocks;
      const row = RECORD * blocks;
      current = {
        a: memory.alloc(Math.min(CHUNK * row, Math.max(CHUNK_BYTES, 4 * row))),
        panel: memory.alloc(blocks * 544),
      };
    }
    const fitting = 4 * Math.floor(CHUNK_BYTES / RECORD / blocks / 4);
    return { ...current, chunk: Math.min(CHUNK, Math.max(4, fitting)) };
  };
}
function abort(): never {
  throw new Error('a kernel aborted');
}
