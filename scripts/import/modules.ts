/** What a network consists of, under the names that a bundle gives it. Shapes are those of the published tensors. */
export type Module =
  | {
      readonly kind: 'linear';
      readonly name: string;
      /** [out_features, in_features], the latter in as many dimensions as it has. */
      readonly shape: readonly number[];
      readonly bias: boolean;
      /** Where no --8bit says otherwise. */
      readonly bits: 4 | 8;
      /** Rows of another tensor of the checkpoint, which holds several layers one behind the other. */
      readonly stacked?: { readonly name: string; readonly rows: number; readonly first: number };
      /** Its rows are looked up by token, which the kernels do in 4 bits. */
      readonly embedding: boolean;
      /** Its outputs are tokens, of which there may be any number. */
      readonly per_token: boolean;
      /** Rows that are fetched alone: each so many stand in a shard of their own. */
      readonly piece_rows?: number;
    }
  | {
      readonly kind: 'convolution';
      readonly name: string;
      readonly shape: readonly number[];
      readonly bias: boolean;
    }
  /** One tensor that stays as it is: `name` is the whole of it. */
  | { readonly kind: 'floats'; readonly name: string; readonly shape: readonly number[] };

/** Modules that are needed at one time: their shards hold nothing else. */
export interface Part {
  readonly name: string;
  readonly modules: readonly Module[];
}

interface LinearOptions {
  readonly bias?: boolean;
  readonly bits?: 4 | 8;
  readonly per_token?: boolean;
  readonly stacked?: { readonly name: string; readonly rows: number; readonly first: number };
}

export function linear(
  name: string,
  shape: readonly number[],
  { bias = true, bits = 4, per_token = false, stacked }: LinearOptions = {},
): Module {
  return {
    kind: 'linear',
    name,
    shape,
    bias,
    bits,
    per_token,
    embedding: false,
    ...(stacked && { stacked }),
  };
}

export function embedding(name: string, rows: number, width: number, piece_rows?: number): Module {
  const module = {
    kind: 'linear',
    name,
    shape: [rows, width],
    bias: false,
    bits: 4,
    embedding: true,
    per_token: true,
  } as const;
  return piece_rows === undefined ? module : { ...module, piece_rows };
}

export function floats(name: string, ...shape: readonly number[]): Module {
  return { kind: 'floats', name, shape };
}

export function layerNorm(name: string, width: number): readonly Module[] {
  return [floats(`${name}.weight`, width), floats(`${name}.bias`, width)];
}

/** A tensor that the checkpoint must have, under the bundle's name for it. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The published tensors that a module is read from. */
export function tensorsOf(module: Module): readonly ExpectedTensor[] {
  if (module.kind === 'floats') return [module];
  const { name, rows } = sourceOf(module);
  const weight = { name: `${name}.weight`, shape: [rows, ...module.shape.slice(1)] };
  return module.bias ? [weight, { name: `${name}.bias`, shape: [rows] }] : [weight];
}

/** Where a layer's rows begin in the tensors that it is read from. */
export function sourceOf(module: Exclude<Module, { kind: 'floats' }>): {
  readonly name: string;
  readonly rows: number;
  readonly first: number;
} {
  const own = { name: module.name, rows: module.shape[0] ?? 0, first: 0 };
  return module.kind === 'linear' ? (module.stacked ?? own) : own;
}

export function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
