import type { EmbeddedImage, ImageInput } from './embed-image.ts';
import type { ChatOptions } from '../generation/config.ts';
import type { FinishReason } from '../generation/generate.ts';
import type { RequestContext } from './request-context.ts';
import type { ResponseFormat } from './response-format.ts';
import type { TokenText } from '../text/token-text.ts';

export type MessagePart =
  | { readonly type: 'text'; readonly text: string }
  /** `param` is how errors name the image. */
  | { readonly type: 'image'; readonly image: ImageInput; readonly param: string };

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: readonly MessagePart[];
}

export interface Conversation extends RequestContext {
  readonly messages: readonly Message[];
  readonly generation: ChatOptions;
  readonly response_format: ResponseFormat;
}

/** A token's text and log-probability, and the likeliest that could have stood in its place. */
export interface LogprobEntry extends TokenText {
  readonly logprob: number;
  readonly top_logprobs: readonly (TokenText & { readonly logprob: number })[];
}

export interface Choice {
  readonly text: string;
  readonly finish_reason: FinishReason;
  /** Of the tokens in the text; empty where none were asked for. */
  readonly logprobs: readonly LogprobEntry[];
}

/** A piece of one of the answers. The last of each has a finish_reason and no text. */
export interface ChoiceDelta {
  readonly index: number;
  readonly text: string;
  readonly logprobs: readonly LogprobEntry[];
  readonly finish_reason: FinishReason | null;
}

export interface Reply {
  readonly choices: readonly Choice[];
  readonly images: readonly EmbeddedImage[];
  /** The bundle that answered. */
  readonly digest: string;
  readonly usage: {
    readonly prompt_tokens: number;
    /** Of them: kept from an earlier prompt on the same image. */
    readonly cached_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

/** Hears the answers as they are made; the next token waits for what it returns. */
export type OnDelta = (delta: ChoiceDelta, digest: string) => void | Promise<void>;
