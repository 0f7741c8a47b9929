import type { Context } from 'hono';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { imageInput } from './image-input.ts';
import { readRequest } from './read-request.ts';
import { captionRequest } from './request-fields.ts';
import { respond } from './respond.ts';

export interface CaptionConfig {
  /** The prompt that stands for "describe". */
  readonly caption_prompt: string;
  readonly max_body_bytes: number;
}

/** `POST /v1/caption`: a description of an image. */
export async function caption(c: Context, pipeline: Pipeline, config: CaptionConfig): Promise<Response> {
  const { image, stream, ...generation } = await readRequest(
    c.req.raw,
    captionRequest,
    config.max_body_bytes,
  );
  return respond(
    c,
    pipeline,
    { image: imageInput(image), prompt: config.caption_prompt, is_caption: true, generation },
    stream,
  );
}
