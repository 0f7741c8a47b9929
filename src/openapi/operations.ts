import { answerBodySchema } from '../routes/answer-body.ts';
import { chatCompletionSchema, chatRequestSchema } from '../routes/chat/schema.ts';
import { classifyRequest, classifyResponse } from '../routes/classify.ts';
import { embeddingsRequest, embeddingsResponse } from '../routes/embeddings.ts';
import { healthResponse } from '../routes/health.ts';
import { imagesRequest, imagesResponse } from '../routes/images.ts';
import { modelListSchema, modelSchema } from '../routes/models.ts';
import { readyResponse } from '../routes/ready.ts';
import { captionRequest, queryRequest } from '../routes/request-fields.ts';
import {
  detokenizeRequest,
  detokenizeResponse,
  tokenizeRequest,
  tokenizeResponse,
} from '../routes/tokenize.ts';
import { EXAMPLE_HANDLE as handle, EXAMPLE_IMAGE as image } from './example-image.ts';
import { BODY_ERRORS, BUNDLE_ERRORS, IMAGE_ERRORS, IMAGE_FILE_ERRORS, type Operation } from './operation.ts';

const model = 'glimpse-10m';
const ANSWER_ERRORS = [...BODY_ERRORS, ...IMAGE_ERRORS, ...BUNDLE_ERRORS, 'context_length_exceeded'] as const;
const EVENTS =
  '`data: {"delta":"..."}` for each piece of text, then the whole answer as without streaming, then `data: [DONE]`. After the first byte an error is an `error` event.';

const question = {
  role: 'user',
  content: [
    { type: 'text', text: 'What is the man doing?' },
    { type: 'image_url', image_url: { url: image } },
  ],
};
const animal = {
  name: 'animal',
  schema: {
    type: 'object',
    properties: { animal: { enum: ['dog', 'cat'] } },
    required: ['animal'],
    additionalProperties: false,
  },
};

/** Every route, in the order in which the document tells them. */
export const OPERATIONS: readonly Operation[] = [
  {
    ...{ method: 'post', path: '/v1/chat/completions', guarded: true },
    summary: 'Answer a conversation about an image',
    description: "OpenAI's chat completions for vision. What is not honoured is refused by name.",
    request: {
      ...{ name: 'ChatRequest', schema: chatRequestSchema, forms: 'json' },
      examples: {
        question: { model, messages: [question] },
        stream: { model, messages: [question], stream: true, stream_options: { include_usage: true } },
        'two turns': {
          model,
          messages: [
            question,
            { role: 'assistant', content: 'Running.' },
            { role: 'user', content: 'Where is he?' },
          ],
        },
        'two answers': {
          model,
          messages: [question],
          n: 2,
          temperature: 0.8,
          seed: 7,
          logprobs: true,
          top_logprobs: 2,
        },
        'JSON schema': {
          model,
          messages: [question],
          response_format: { type: 'json_schema', json_schema: animal },
        },
      },
    },
    response: {
      ...{ name: 'ChatCompletion', schema: chatCompletionSchema },
      events: 'Each `data:` line holds a ChatCompletionChunk; the last is `data: [DONE]`.',
    },
    errors: [
      ...ANSWER_ERRORS,
      'unknown_option', // in the query string
      ...(['unknown_parameter', 'unsupported_parameter', 'unsupported_value'] as const),
      ...(['missing_required_parameter', 'invalid_type', 'invalid_json_schema', 'model_not_found'] as const),
    ],
  },
  {
    ...{ method: 'post', path: '/v1/query', guarded: true },
    summary: 'Answer a prompt about an image',
    request: {
      ...{ name: 'QueryRequest', schema: queryRequest, forms: 'image' },
      examples: {
        question: { image, prompt: 'What is the dog doing?' },
        'by handle, streamed': { image: handle, prompt: 'What color is it?', stream: true },
        'beam search': { image: handle, prompt: 'Describe the image.', num_beams: 3, length_penalty: 1.2 },
      },
    },
    response: { name: 'QueryResponse', schema: answerBodySchema, events: EVENTS },
    errors: [...ANSWER_ERRORS, 'unknown_option', 'missing_prompt'],
  },
  {
    ...{ method: 'post', path: '/v1/caption', guarded: true },
    summary: 'Describe an image',
    request: {
      ...{ name: 'CaptionRequest', schema: captionRequest, forms: 'image' },
      examples: { caption: { image, max_new_tokens: 20 } },
    },
    response: { name: 'QueryResponse', schema: answerBodySchema, events: EVENTS },
    errors: [...ANSWER_ERRORS, 'unknown_option'],
  },
  {
    ...{ method: 'post', path: '/v1/images', guarded: true },
    summary: 'Send an image once',
    description: 'Answers its handle, by which later requests name it, and makes its embeddings.',
    request: {
      ...{ name: 'ImagesRequest', schema: imagesRequest, forms: 'image' },
      examples: { image: { image } },
    },
    response: { name: 'Image', schema: imagesResponse },
    errors: [...BODY_ERRORS, ...IMAGE_FILE_ERRORS, ...BUNDLE_ERRORS, 'unknown_option'],
  },
  {
    ...{ method: 'post', path: '/v1/classify', guarded: true },
    summary: 'Tell which of some labels an image is',
    description:
      "A model that answers scores a label by its likelihood as an answer to `prompt`. A dual encoder (CLIP, SigLIP: `output_modalities` of /v1/models) scores it by the image's likeness to the text that `hypothesis_template` makes of it.",
    request: {
      ...{ name: 'ClassifyRequest', schema: classifyRequest, forms: 'image' },
      examples: {
        labels: { image, labels: ['dog', 'motorcycle', 'boat'] },
        'labels of a question': {
          image: handle,
          labels: ['Yes', 'No'],
          prompt: 'Is there a dog in the image?',
          template: '{label}.',
        },
        ImageNet: { image: handle },
      },
    },
    response: { name: 'ClassifyResponse', schema: classifyResponse },
    errors: [...ANSWER_ERRORS, 'unknown_option', 'unsupported_value'],
  },
  {
    ...{ method: 'post', path: '/v1/embeddings', guarded: true },
    summary: 'Embed images, and texts where the model is a dual encoder',
    description:
      'A dual encoder (CLIP, SigLIP: `output_modalities` of /v1/models) embeds texts and images into one space. Other models embed images and refuse texts. What writes text, such as /v1/chat/completions, a dual encoder refuses.',
    request: {
      ...{ name: 'EmbeddingsRequest', schema: embeddingsRequest, forms: 'json' },
      examples: {
        image: { model, input: image },
        'several, as base64': {
          model,
          input: [image, { type: 'image_url', image_url: { url: handle } }],
          encoding_format: 'base64',
        },
      },
    },
    response: { name: 'EmbeddingsResponse', schema: embeddingsResponse },
    errors: [...ANSWER_ERRORS, 'unknown_option', 'model_not_found'],
  },
  {
    ...{ method: 'get', path: '/v1/models', guarded: true },
    summary: 'List the models',
    response: { name: 'ModelList', schema: modelListSchema },
    errors: BUNDLE_ERRORS,
  },
  {
    ...{ method: 'get', path: '/v1/models/{id}', guarded: true, path_parameters: { id: model } },
    summary: 'Tell about a model',
    response: { name: 'Model', schema: modelSchema },
    errors: [...BUNDLE_ERRORS, 'model_not_found'],
  },
  {
    ...{ method: 'post', path: '/tokenize', guarded: true },
    summary: 'Text or messages to token ids',
    request: {
      ...{ name: 'TokenizeRequest', schema: tokenizeRequest, forms: 'json' },
      examples: { text: { text: 'What is this?', strings: true }, messages: { messages: [question] } },
    },
    response: { name: 'TokenizeResponse', schema: tokenizeResponse },
    errors: [...BODY_ERRORS, ...BUNDLE_ERRORS, 'unknown_option', 'context_length_exceeded'],
  },
  {
    ...{ method: 'post', path: '/detokenize', guarded: true },
    summary: 'Token ids to text',
    request: {
      ...{ name: 'DetokenizeRequest', schema: detokenizeRequest, forms: 'json' },
      examples: { tokens: { tokens: [293, 1191] } },
    },
    response: { name: 'DetokenizeResponse', schema: detokenizeResponse },
    errors: [...BODY_ERRORS, ...BUNDLE_ERRORS, 'unknown_option'],
  },
  {
    ...{ method: 'get', path: '/health', guarded: false },
    summary: 'Whether the Worker is live',
    response: { name: 'Health', schema: healthResponse },
    errors: ['internal_error'],
  },
  {
    ...{ method: 'get', path: '/ready', guarded: false },
    summary: 'Whether the bundle can be opened',
    response: { name: 'Ready', schema: readyResponse },
    errors: ['shard_unavailable'],
  },
  {
    ...{ method: 'get', path: '/metrics', guarded: true },
    summary: "What this isolate has done and holds, in Prometheus' text format",
    response: { type: 'text/plain' },
    errors: ['internal_error'],
  },
  {
    ...{ method: 'get', path: '/openapi.json', guarded: false },
    summary: 'This document',
    response: { type: 'application/json' },
    errors: ['internal_error'],
  },
  {
    ...{ method: 'get', path: '/docs', guarded: false },
    summary: 'This document for people',
    response: { type: 'text/html' },
    errors: ['internal_error'],
  },
  {
    ...{ method: 'get', path: '/', guarded: false },
    summary: 'A page to try it on',
    response: { type: 'text/html' },
    errors: ['internal_error'],
  },
];
