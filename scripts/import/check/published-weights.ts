import { filledRows } from '../../../src/model/filled-rows.ts';
import type { Checkpoint, PublishedTensor } from '../checkpoint.ts';
import { product, sourceOf } from '../modules.ts';
import type { Piece } from '../pieces.ts';
import type { Plan } from '../plan.ts';

/** The published weights of the bundle's layers, read when they are asked for. */
export interface PublishedWeights {
  /** Of layers, or pieces of them, one behind the other, filled up as `Weights.table` does. // [outputs, inputs] */
  matrix(names: readonly string[]): Float32Array;
  /** One row of a layer that may lie in pieces. @param name its own, or its first piece's */
  row(name: string, index: number): Float32Array;
}

export function publishedWeights(
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, PublishedTensor>,
  plan: Plan,
): PublishedWeights {
  const pieces = new Map(
    plan.parts.flatMap((part) => part.pieces.map((piece) => [piece.name, piece] as const)),
  );

  function pieceOf(name: string): Piece {
    const piece = pieces.get(name);
    if (piece === undefined) throw new Error(`${name} is no layer of this model`);
    return piece;
  }

  /** @param first row of the layer */
  function rowsOf({ module }: Piece, first: number, rows: number): Float32Array {
    if (module.kind === 'floats') throw new Error(`${module.name} is no layer`);
    const source = sourceOf(module);
    const width = product(module.shape.slice(1));
    const published = tensors.get(`${source.name}.weight`)?.name ?? '';
    return checkpoint.read(published, (source.first + first) * width, rows * width);
  }

  return {
    matrix(names) {
      const parts = names.map(pieceOf).map((piece) => rowsOf(piece, piece.first, piece.rows).slice());
      const rows = names.map(pieceOf).reduce((sum, piece) => sum + piece.rows, 0);
      const values = parts.reduce((sum, part) => sum + part.length, 0);
      const all = new Float32Array((values / rows) * filledRows(rows));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
    row: (name, index) => rowsOf(pieceOf(name), index, 1),
  };
}
