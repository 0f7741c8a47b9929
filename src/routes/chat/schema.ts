/** What goes in and out of `POST /v1/chat/completions`. */
export { chatRequestSchema, type ChatRequestBody } from './request-schema.ts';
export {
  chatCompletionChunkSchema,
  chatCompletionSchema,
  type ChatCompletionBody,
  type ChatCompletionChunkBody,
} from './response-schema.ts';
