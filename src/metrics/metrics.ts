import type { Observer } from '../pipeline/observer.ts';
import type { Usage } from '../pipeline/pipeline.ts';
import { createTally, renderMetrics, type Labels, type Metric } from './registry.ts';

/** What an isolate counts of itself. */
export interface Metrics {
  readonly observer: Observer;
  readonly onResponse: (method: string, route: string, status: number) => void;
  /** In Prometheus' text format. */
  readonly render: (usage: Usage) => string;
}

const NONE: Labels = {};

export function createMetrics(): Metrics {
  const requests = createTally(
    'glimpse_requests_total',
    'counter',
    'Answers by method, route and status. All figures of this page are of one isolate: Cloudflare runs several, and starts them anew.',
  );
  const in_flight = createTally(
    'glimpse_in_flight',
    'gauge',
    'Requests that the model works on, streams to their end.',
    [NONE],
  );
  const hits = createTally('glimpse_cache_hits_total', 'counter', 'Image embeddings found, by tier.', [
    { tier: 'memory' },
  ]);
  const misses = createTally('glimpse_cache_misses_total', 'counter', 'Image embeddings found in no tier.', [
    NONE,
  ]);
  const prompt_tokens = createTally(
    'glimpse_tokens_prompt_total',
    'counter',
    "Tokens read before answers, images' included.",
    [NONE],
  );
  const generated = createTally('glimpse_tokens_generated_total', 'counter', 'Tokens decided.', [NONE]);
  const stages = createTally(
    'glimpse_stage_seconds_total',
    'counter',
    "Time by stage. Cloudflare's clock moves only with I/O, so a stage that only computes may read 0 there.",
  );
  const runs = createTally(
    'glimpse_stage_runs_total',
    'counter',
    'How often each stage was gone through: vision once for all who ask about a new image at a time.',
  );
  const counted = [requests, in_flight, hits, misses, prompt_tokens, generated, stages, runs];
  return {
    observer: {
      onBegin: () => in_flight.add(NONE, 1),
      onEnd: () => in_flight.add(NONE, -1),
      onStage(stage, milliseconds) {
        stages.add({ stage }, milliseconds / 1000);
        runs.add({ stage });
      },
      onImage: (found) => (found === 'miss' ? misses.add(NONE) : hits.add({ tier: found })),
      onPromptTokens: (tokens) => prompt_tokens.add(NONE, tokens),
      onToken: () => generated.add(NONE),
    },
    onResponse: (method, route, status) => requests.add({ method, route, status: String(status) }),
    render: (usage) => renderMetrics([...counted, ...usageMetrics(usage)]),
  };
}

/** What the pipeline knows anyway: read when asked for. */
function usageMetrics({ fetched, memory }: Usage): readonly Metric[] {
  const byFile =
    (value: 'fetches' | 'bytes'): Metric['samples'] =>
    () =>
      Array.from(fetched, ([file, count]) => [{ file }, count[value]] as const);
  return [
    {
      name: 'glimpse_bundle_fetches_total',
      type: 'counter',
      help: "Fetches of the bundle's files.",
      samples: byFile('fetches'),
    },
    {
      name: 'glimpse_bundle_bytes_total',
      type: 'counter',
      help: "Bytes fetched of the bundle's files.",
      samples: byFile('bytes'),
    },
    {
      name: 'glimpse_memory_bytes',
      type: 'gauge',
      help: "wasm: all of WebAssembly's memory. kernels: what of it is allocated. image_embeds: embeddings in the memory's cache.",
      samples: () => Object.entries(memory).map(([part, bytes]) => [{ part }, bytes] as const),
    },
  ];
}
