import { NO_REQUEST } from '../../../src/node.ts';
import type { GenerationOptions } from '../../../src/generation/config.ts';
import { pipelineOnNode, PROMPT, type BenchedBundle } from '../pipeline.ts';
import { timedBy, type Rival } from './rival.ts';

export interface GlimpseRival extends Rival {
  /** Bytes fetched of the bundle since it was opened. */
  readonly fetched: () => number;
  /** Tokens of the last prompt, the image's included. */
  readonly promptTokens: () => number;
}

/** Our engine on Node, the Worker's pipeline whole. */
export function openGlimpse(bundle?: BenchedBundle, generation: GenerationOptions = {}): GlimpseRival {
  let moments: number[] = [];
  let prompt_tokens = 0;
  const pipeline = pipelineOnNode({ onToken: () => void moments.push(performance.now()) }, bundle);
  return {
    async ask(bytes) {
      moments = [];
      const start = performance.now();
      const query = { image: { bytes }, prompt: PROMPT, generation, ...NO_REQUEST };
      const { answer, usage } = await pipeline.ask(query);
      prompt_tokens = usage.prompt_tokens;
      return timedBy(start, moments, answer);
    },
    fetched: () => [...pipeline.usage().fetched.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    promptTokens: () => prompt_tokens,
  };
}
