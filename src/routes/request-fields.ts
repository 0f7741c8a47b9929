import * as z from 'zod';
import { generationOptions } from '../generation/config.ts';
import { imageField } from './image-schema.ts';

const fields = {
  image: imageField,
  stream: z.boolean().default(false).meta({ description: 'Server-sent events while the answer is made.' }),
  ...generationOptions.shape,
};

const prompt = z.string().regex(/\S/).meta({ description: 'What to answer about the image.' });

// Beam search settles its first token last: there is nothing to stream.
const streamsNoBeams = ({
  stream,
  num_beams,
}: {
  stream: boolean;
  num_beams?: number | undefined;
}): boolean => !stream || (num_beams ?? 1) === 1;
const streamedBeams = { path: ['stream'], error: 'beam search (num_beams over 1) cannot be streamed' };

/** What `POST /v1/query` takes. */
export const queryRequest = z.strictObject({ prompt, ...fields }).refine(streamsNoBeams, streamedBeams);

/** What `POST /v1/caption` takes. */
export const captionRequest = z.strictObject(fields).refine(streamsNoBeams, streamedBeams);
