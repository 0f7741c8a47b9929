import { photo, variant } from '../photos.ts';
import { benchedBundle } from '../pipeline.ts';
import { noSamples, summary, type RivalResult } from './result.ts';
import { tokensPerSecond, type TimedAnswer } from './rival.ts';
import { ANSWER_TOKENS } from './smolvlm-rivals.ts';
import { WORKERS, grown, rivalOn, withWorkers, type WorkerName } from './workers.ts';

export type LargeWorkersResult = Readonly<Record<WorkerName, RivalResult>>;

/**
 * Whole models of the shape of SmolVLM-256M in workerd, in turns: in each round a new image, then the same again.
 * @param exported the bundle as export-folder.ts writes it
 * @param folder where Workers are built
 */
export async function benchSmolVlmWorkers(
  bundleFolder: string,
  exported: string,
  folder: string,
  rounds: number,
): Promise<LargeWorkersResult> {
  const picture = photo(512, 512);
  return withWorkers(benchedBundle(bundleFolder), exported, folder, async (servers) => {
    const samples = byWorker(noSamples);
    const rivals = byWorker((name) =>
      rivalOn(servers[name], { max_new_tokens: ANSWER_TOKENS, do_sample: false }),
    );
    const last = {} as Record<WorkerName, TimedAnswer>;
    for (const name of WORKERS) last[name] = await rivals[name].ask(variant(picture, 'warm'));
    for (let round = 0; round < rounds; round++) {
      for (const name of round % 2 === 0 ? WORKERS : WORKERS.toReversed()) {
        const image = variant(picture, `round ${round}`);
        samples[name]['new image'].push((await rivals[name].ask(image)).first_token_ms);
        const again = (last[name] = await rivals[name].ask(image));
        samples[name].repeat.push(again.first_token_ms);
        samples[name].token.push(1000 / tokensPerSecond(again));
      }
    }
    for (const name of WORKERS) samples[name]['peak memory'].push(grown(servers[name]));
    return byWorker((name) => summary(samples[name], samples['Glimpse, workerd'], last[name]));
  });
}

function byWorker<T>(of: (name: WorkerName) => T): Readonly<Record<WorkerName, T>> {
  return Object.fromEntries(WORKERS.map((name) => [name, of(name)])) as Record<WorkerName, T>;
}
