import type { CacheTier } from '../cache/cache-tier.ts';

/** Hears what a pipeline does while it does it: what metrics are made of. */
export interface Observer {
  /** A request's work begins. */
  readonly onBegin: () => void;
  /** It ended: answered, failed or left by its client. */
  readonly onEnd: () => void;
  readonly onStage: (stage: string, milliseconds: number) => void;
  /** An image's embeddings were asked for: where they were found, or a miss. */
  readonly onImage: (found: 'memory' | CacheTier['name'] | 'miss') => void;
  /** Tokens read before an answer, the image's included. */
  readonly onPromptTokens: (tokens: number) => void;
  /** One more token is decided. */
  readonly onToken: () => void;
}

const nothing = (): void => undefined;

export const UNOBSERVED: Observer = {
  onBegin: nothing,
  onEnd: nothing,
  onStage: nothing,
  onImage: nothing,
  onPromptTokens: nothing,
  onToken: nothing,
};
