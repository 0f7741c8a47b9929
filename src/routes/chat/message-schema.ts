import * as z from 'zod';

/** One pixel: an example that works as it stands. */
export const EXAMPLE_IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

const text = z.string().meta({ description: 'What is said.', example: 'What is the man doing?' });

const textPart = z
  .strictObject({ type: z.literal('text'), text })
  .meta({ id: 'TextPart', description: 'Text. Parts of one message are put together as they are.' });

const imagePart = z
  .strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({
      url: z.string().min(1).meta({
        description:
          'A data URL (data:image/jpeg;base64,...; JPEG or PNG), the sha256: handle of an image sent before, or an https URL on a host that the deployment names.',
        example: EXAMPLE_IMAGE,
      }),
      detail: z
        .literal('auto')
        .optional()
        .meta({ description: 'The model looks at every image in one resolution, so there is only "auto".' }),
    }),
  })
  .meta({ id: 'ImagePart', description: 'An image. glimpse-10m takes one in a conversation.' });

const texts = z.union([text, z.array(textPart).min(1)]);

const systemMessage = z
  .strictObject({ role: z.enum(['system', 'developer']), content: texts })
  .meta({ id: 'SystemMessage', description: 'Stands before the text of the user message that follows.' });

const userMessage = z
  .strictObject({
    role: z.literal('user'),
    content: z.union([text, z.array(z.discriminatedUnion('type', [textPart, imagePart])).min(1)]),
  })
  .meta({ id: 'UserMessage', description: 'A question. The image may stand in any of them.' });

const assistantMessage = z
  .strictObject({
    role: z.literal('assistant'),
    content: texts,
    refusal: z.null().optional(), // stands in every answer, which clients send back as they got it
  })
  .meta({ id: 'AssistantMessage', description: 'An answer of an earlier turn.' });

export const messageSchema = z.discriminatedUnion('role', [systemMessage, userMessage, assistantMessage]);
export type ChatMessageBody = z.infer<typeof messageSchema>;
