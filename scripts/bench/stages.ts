import { NO_REQUEST } from '../../src/node.ts';
import { spread, type Spread } from './harness.ts';
import { photo, variant } from './photos.ts';
import { pipelineOnNode, PROMPT } from './pipeline.ts';

type Times = Record<string, number[]>;

export interface StagesResult {
  /** CPU time of the process by stage of a new 640x480 JPEG on Node, other threads (compiler, collector) included. */
  readonly cpu_ms: Readonly<Record<string, Spread>>;
  readonly wall_ms: Readonly<Record<string, Spread>>;
  /** Part of the request's CPU time, request by request. */
  readonly share: Readonly<Record<string, Spread>>;
}

const IN_ALL = 'in all';
const sum = (times: Readonly<Record<string, number>>) => Object.values(times).reduce((a, b) => a + b, 0);

/** One prompt each on `images` different images, through the pipeline, after as many to warm up. */
export async function benchStages(images: number): Promise<StagesResult> {
  let cpu: Record<string, number> = {};
  let wall: Record<string, number> = {};
  let last = { cpu: process.cpuUsage(), wall: performance.now() };
  /** Stages follow each other, so each has what was spent since the one before it ended. */
  const mark = (stage: string): void => {
    const { user, system } = process.cpuUsage(last.cpu);
    cpu[stage] = (cpu[stage] ?? 0) + (user + system) / 1000;
    wall[stage] = (wall[stage] ?? 0) + performance.now() - last.wall;
    last = { cpu: process.cpuUsage(), wall: performance.now() };
  };
  const pipeline = pipelineOnNode({ onStage: mark });
  const picture = photo(640, 480);
  const [cpu_ms, wall_ms, share]: [Times, Times, Times] = [{}, {}, {}];
  for (let i = 0; i < 2 * images; i++) {
    const image = { bytes: variant(picture, `stage ${i}`) };
    [cpu, wall] = [{}, {}];
    last = { cpu: process.cpuUsage(), wall: performance.now() };
    await pipeline.ask({ image, prompt: PROMPT, generation: {}, ...NO_REQUEST });
    mark('the rest');
    if (i < images) continue;
    const [cpuInAll, wallInAll] = [sum(cpu), sum(wall)];
    for (const [stage, ms] of [...Object.entries(cpu), [IN_ALL, cpuInAll] as const]) {
      (cpu_ms[stage] ??= []).push(ms);
      (wall_ms[stage] ??= []).push(wall[stage] ?? wallInAll);
      (share[stage] ??= []).push(ms / cpuInAll);
    }
  }
  const spreads = (times: Times) =>
    Object.fromEntries(Object.entries(times).map(([stage, values]) => [stage, spread(values)]));
  return { cpu_ms: spreads(cpu_ms), wall_ms: spreads(wall_ms), share: spreads(share) };
}
