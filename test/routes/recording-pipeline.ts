import type { Answer, Pipeline, Query } from '../../src/pipeline/pipeline.ts';

/** A pipeline that notes what HTTP made of a request, and answers by a script. Only for the shape of HTTP. */
export interface RecordingPipeline extends Pipeline {
  readonly queries: Query[];
}

export const HANDLE = `sha256:${'ab'.repeat(32)}` as const;

export const ANSWER: Answer = {
  answer: 'A dog runs.',
  image: HANDLE,
  cache: 'miss',
  finish_reason: 'stop',
  usage: { prompt_tokens: 57, completion_tokens: 4, total_tokens: 61 },
  timings: { vision: 12.5 },
};

export type Script = (query: Query, onText: (delta: string) => void | Promise<void>) => Promise<Answer>;

export function recordingPipeline(script: Script = () => Promise.resolve(ANSWER)): RecordingPipeline {
  const queries: Query[] = [];
  return {
    model: 'glimpse-10m',
    queries,
    ask(query, onText = () => undefined) {
      queries.push(query);
      return script(query, onText);
    },
    converse: () => Promise.reject(new Error('not asked for here')),
    embed: () => Promise.reject(new Error('not asked for here')),
    embedTexts: () => Promise.reject(new Error('not asked for here')),
    classify: () => Promise.reject(new Error('not asked for here')),
    bundle: () => Promise.reject(new Error('not asked for here')),
    usage: () => ({ fetched: new Map(), memory: { wasm: 0, kernels: 0, image_embeds: 0 } }),
    status: () => ({ digest: 'd1', loaded: { vision: false, text: true } }),
  };
}
