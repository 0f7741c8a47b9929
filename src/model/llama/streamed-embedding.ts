import { LRUCache } from 'lru-cache';
import type { Bundle } from '../../bundle/bundle.ts';
import { freeNow } from '../../free-now.ts';
import { halfToFloat } from '../../kernels/reference.ts';
import { createTensorReader, requireTensor } from '../tensor-reader.ts';
import type { TokenEmbedding } from '../token-embedding.ts';

interface Table {
  readonly hidden_size: number;
  readonly vocab_size: number;
}

/** Rows as the bundle has them. */
interface Piece {
  readonly q: Uint8Array; // [rows, ceil(hidden_size / 2)]
  readonly scale: Uint16Array; // float16 [rows, ceil(hidden_size / 32)]
}

/** Of one shard, which is fetched for any of its rows: some 400 rows of SmolVLM-256M's. */
const PIECE_BYTES = 128 * 1024;
/** Of pieces that are kept. Tokens are numbered by how often they come: few pieces hold most of a text. */
export const KEPT_BYTES = 2 * 2 ** 20;
/** Pieces that are fetched at a time. */
const AT_ONCE = 4;

/** Rows in each piece of a table but the last: as an import cuts it. */
export function rowsPerPiece({ hidden_size }: Pick<Table, 'hidden_size'>): number {
  const bytes = Math.ceil(hidden_size / 2) + 2 * Math.ceil(hidden_size / 32);
  return 8 * Math.max(1, Math.floor(PIECE_BYTES / bytes / 8));
}

/**
 * Token embeddings of which no more is in memory than the pieces that were last used. A piece that is not there is
 * fetched, which takes a turn of the event loop and the source's time.
 * @throws what `Bundle.tensors` throws; bundle_invalid where the table is cut otherwise
 */
export function createStreamedEmbedding(
  bundle: Pick<Bundle, 'tensors'>,
  name: string,
  { hidden_size: width, vocab_size }: Table,
): TokenEmbedding {
  const pieceRows = rowsPerPiece({ hidden_size: width });
  const [bytes, blocks] = [Math.ceil(width / 2), Math.ceil(width / 32)];
  const kept = new LRUCache<number, Piece>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ q, scale }) => q.byteLength + scale.byteLength,
    dispose(piece, _, reason) {
      if (reason !== 'evict') return;
      freeNow(piece.q);
      freeNow(piece.scale);
    },
  });

  async function fetchPiece(index: number): Promise<Piece> {
    const piece = `${name}.${index}`;
    const count = Math.min(pieceRows, vocab_size - index * pieceRows);
    const tensors = bundle.tensors([piece]);
    try {
      const reader = createTensorReader(tensors);
      const q = await reader.take([`${piece}.weight.q4`]);
      requireTensor(q, 'U8', [count, bytes]);
      const values = q.data.slice();
      const scale = await reader.take([`${piece}.weight.scale`]);
      requireTensor(scale, 'F16', [count, blocks]);
      return { q: values, scale: new Uint16Array(scale.data.slice().buffer) };
    } finally {
      await tensors.return();
    }
  }

  /** As the kernels unpack a row. */
  function unpack({ q, scale }: Piece, row: number, out: Float32Array): void {
    for (let block = 0; block < blocks; block++) {
      const step = halfToFloat(scale[row * blocks + block] ?? 0);
      for (let i = 32 * block; i < Math.min(width, 32 * block + 32); i++) {
        const pair = q[row * bytes + (i >> 1)] ?? 0;
        out[i] = (((pair >> (i & 1 ? 4 : 0)) & 15) - 8) * step;
      }
    }
  }

  async function rowsOf(input_ids: readonly number[]): Promise<Float32Array> {
    const embeds = new Float32Array(input_ids.length * width);
    const places = [...Map.groupBy(input_ids.keys(), (at) => Math.floor((input_ids[at] ?? 0) / pieceRows))];
    for (let from = 0; from < places.length; from += AT_ONCE) {
      const some = places.slice(from, from + AT_ONCE).map(async ([index, ats]) => {
        const piece = kept.get(index) ?? (await fetchPiece(index));
        kept.set(index, piece); // nothing is awaited until it has been read: another may take its place
        for (const at of ats) {
          const row = (input_ids[at] ?? 0) - index * pieceRows;
          unpack(piece, row, embeds.subarray(at * width, (at + 1) * width));
        }
      });
      await Promise.all(some);
    }
    return embeds;
  }

  return { rows: rowsOf };
}
