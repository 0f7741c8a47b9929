import { cutIntoShards, type Shard } from '../bundle/shards.ts';
import type { Architecture } from './architectures/architecture.ts';
import type { Module } from './modules.ts';
import { bytesOf, piecesOf, slotsOf, type Piece } from './pieces.ts';

/** What a bundle will hold, known from shapes alone. */
export interface Plan {
  readonly parts: readonly { readonly name: string; readonly pieces: readonly Piece[] }[];
  readonly shards: readonly Shard<Piece>[];
  /** Linear layers in 8 bits, for quantization_config. */
  readonly modules_8bit: readonly string[];
}

/** Layers of one input that the engine runs as one product: all in as many bits. */
const FUSED = /\.(self_attn\.[qkv]_proj|mlp\.(gate|up)_proj)$/;

/**
 * @param eightBit names of layers that get 8 bits, besides those that do by default
 * @throws Error for a pattern that names no layer, or one that the engine reads in 4 bits only
 */
export function planBundle({ parts }: Architecture, eightBit: readonly RegExp[]): Plan {
  const bitsOf = (module: Module): 4 | 8 => {
    if (module.kind !== 'linear') return 8;
    return eightBit.some((pattern) => pattern.test(module.name)) ? 8 : module.bits;
  };
  const linears = parts.flatMap(({ modules }) => modules.filter((module) => module.kind === 'linear'));
  for (const pattern of eightBit) requireLayers(pattern, linears);
  requireEqualBits(linears, bitsOf);

  const cut = parts.map(({ name, modules }) => ({
    name,
    pieces: modules.flatMap((module) => piecesOf(module, bitsOf(module))),
  }));
  return {
    parts: cut,
    shards: cutIntoShards(
      cut.flatMap(({ pieces }) => fetchedTogether(pieces)),
      (piece) => ({ count: slotsOf(piece).length, bytes: bytesOf(piece) }),
    ),
    modules_8bit: linears.filter((module) => bitsOf(module) === 8).map(({ name }) => name),
  };
}

/** Pieces that are fetched alone, each by itself, and the rest. */
function fetchedTogether(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const [alone, together] = [pieces.filter(isStreamed), pieces.filter((piece) => !isStreamed(piece))];
  return [...alone.map((piece) => [piece]), together];
}

export function isStreamed({ module }: Piece): boolean {
  return module.kind === 'linear' && module.piece_rows !== undefined;
}

function requireLayers(pattern: RegExp, linears: readonly Module[]): void {
  const matched = linears.filter(({ name }) => pattern.test(name));
  if (matched.length === 0) {
    const some = linears.slice(0, 3).map(({ name }) => name);
    throw new Error(`--8bit ${pattern.source} matches no layer; layers are named ${some.join(', ')}, ...`);
  }
  const lookup = matched.find((module) => module.kind === 'linear' && module.embedding);
  if (lookup) {
    throw new Error(`--8bit ${pattern.source}: ${lookup.name} is looked up by token, in 4 bits only.`);
  }
}

function requireEqualBits(linears: readonly Module[], bitsOf: (module: Module) => 4 | 8): void {
  const fused = linears.filter(({ name }) => FUSED.test(name));
  for (const group of Map.groupBy(fused, fusedName).values()) {
    if (new Set(group.map(bitsOf)).size > 1) {
      const names = group.map(({ name }) => name).join(', ');
      throw new Error(`--8bit: ${names} run as one product; give 8 bits to all of them or to none.`);
    }
  }
}

/** One name for the layers of one product. */
function fusedName({ name }: Module): string {
  return name.replace(/[^.]+$/, '');
}
