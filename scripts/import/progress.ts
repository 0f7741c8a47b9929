import { SingleBar } from 'cli-progress';
import { bytesOf } from './pieces.ts';
import type { Plan } from './plan.ts';

/**
 * Shows how far some work has come.
 * @param total of what `advance` is told of
 */
export type Show = <Result>(
  total: number,
  work: (advance: (by: number, now: string) => void) => Promise<Result>,
) => Promise<Result>;

/** Without a terminal, a line now and then. */
export const showBar: Show = async (total, work) => {
  const bar = new SingleBar({
    format: '{bar} {percentage}%, {eta_formatted} left {now}',
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  bar.start(total, 0, { now: '' });
  try {
    return await work((by, now) => bar.increment(by, { now }));
  } finally {
    bar.stop();
  }
};

type Shards = Plan['shards'];

/** Under `show`, work that is told of each shard that is done. */
export function showShards<Result>(
  show: Show,
  { shards }: Plan,
  work: (onShard: (shard: Shards[number]) => void) => Promise<Result>,
): Promise<Result> {
  const bytes = ({ items }: Shards[number]): number => items.reduce((sum, piece) => sum + bytesOf(piece), 0);
  const total = shards.reduce((sum, shard) => sum + bytes(shard), 0);
  return show(total, (advance) => work((shard) => advance(bytes(shard), shard.name)));
}
