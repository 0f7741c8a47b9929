import type { Decoder } from '../model/types.ts';
import { createBudget, type Applicant, type Budget, type Permit } from './budget.ts';

/**
 * What requests may hold at once, so that an isolate of 128 MB holds them all. Its other parts are the
 * engine and the caches (`MEMORY` in worker.ts). Each has a queue of its own, so that nobody waits for
 * work of another kind: a question about a cached image passes all who wait for their images.
 */
const MEBIBYTE = 2 ** 20;

/** Bodies as they are read, in bytes with their copies: two of the largest, or many small ones. */
const BODIES = 24 * MEBIBYTE;
const SMALL_BODIES = 8 * MEBIBYTE;
const SMALL_BODY = 128 * 1024;

/** Keys and values in bytes: in the default bundle, of 12 KiB a position, 256 positions and 768. */
const SHORT_ANSWERS = 3 * MEBIBYTE;
const LONG_ANSWERS = 9 * MEBIBYTE;
/** In positions: no longer than the least allocation. */
const SHORT_ANSWER = 64;

/** An image's pixel_values and its way through the encoder, whatever its size. */
const SMALL_IMAGE = 1 / 8;

const WAITING = { max_waiting: 256, max_wait: 10_000 };

/** For the bytes of request bodies. */
export function createBodyBudget(): Pick<Budget, 'acquire'> {
  const small = createBudget({ ...WAITING, capacity: SMALL_BODIES });
  const large = createBudget({ ...WAITING, max_waiting: 64, capacity: BODIES });
  // Two queues, so that what is quickly done does not stand behind what is not; of answers too.
  return {
    acquire: (bytes, applicant) => (bytes <= SMALL_BODY ? small : large).acquire(bytes, applicant),
  };
}

/** For images while they are decoded and seen: the largest alone, of small ones several. */
export interface ImageBudget {
  /** @param part of what the largest allowed image takes: `partOfLimit` in image/limits.ts */
  acquire(part: number, applicant: Applicant): Promise<Permit>;
}

export function createImageBudget(): ImageBudget {
  const budget = createBudget({ ...WAITING, capacity: 1 });
  return { acquire: (part, applicant) => budget.acquire(Math.max(part, SMALL_IMAGE), applicant) };
}

/** For the keys and values of answers. */
export interface AnswerBudget {
  /** How many sequences of so many positions may go on side by side, beside the prompt's own: at least one. */
  branches(decoder: PositionSize, positions: number): number;
  /** @param positions of each of `sequences`, their common prefix not counted */
  acquire(decoder: PositionSize, positions: number, sequences: number, applicant: Applicant): Promise<Permit>;
}

type PositionSize = Pick<Decoder, 'bytes_per_position'>;

export function createAnswerBudget(): AnswerBudget {
  const short = createBudget({ ...WAITING, capacity: SHORT_ANSWERS });
  const long = createBudget({ ...WAITING, capacity: LONG_ANSWERS });
  return {
    branches({ bytes_per_position }, positions) {
      return Math.max(1, Math.floor(LONG_ANSWERS / (allocated(positions) * bytes_per_position)) - 1);
    },
    acquire({ bytes_per_position }, positions, sequences, applicant) {
      const all = allocated(positions) * sequences;
      return (all <= SHORT_ANSWER ? short : long).acquire(all * bytes_per_position, applicant);
    },
  };
}

/** No sequence has less room than 64 positions (model/llama/kv-cache.ts). */
const allocated = (positions: number): number => Math.max(SHORT_ANSWER, positions);
