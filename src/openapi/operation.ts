import type * as z from 'zod';
import type { ErrorCode } from '../errors.ts';

/** One route, as the document tells it. */
export interface Operation {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Whether it needs a key where the deployment has keys. */
  readonly guarded: boolean;
  readonly path_parameters?: Readonly<Record<string, string>>;
  readonly request?: RequestBody;
  readonly response: Answer;
  readonly errors: readonly ErrorCode[];
}

export interface RequestBody {
  readonly name: string;
  readonly schema: z.ZodObject;
  /** json: nothing else. image: also a multipart form, or the image itself with the rest in the query string. */
  readonly forms: 'json' | 'image';
  /** Bodies that the Worker answers with 200 when they are sent in this order. */
  readonly examples: Readonly<Record<string, unknown>>;
}

/** The answer of a request that succeeds: JSON by a schema, or a text of another type. */
export type Answer =
  | {
      readonly name: string;
      readonly schema: z.ZodType;
      /** Where `"stream": true` is an option: what its server-sent events hold. */
      readonly events?: string;
    }
  | { readonly type: string };

/** Errors of every route that reads a body. */
export const BODY_ERRORS = [
  'invalid_request',
  'invalid_json',
  'invalid_value',
  'body_too_large',
  'unsupported_media_type',
  'request_timeout',
  'too_many_requests',
] as const;

export const BUNDLE_ERRORS = ['internal_error', 'bundle_invalid', 'shard_unavailable', 'overloaded'] as const;

/** Errors of every route that an image is sent to. */
export const IMAGE_FILE_ERRORS = [
  'missing_image',
  'image_too_large',
  'unsupported_image',
  'invalid_image',
] as const;

/** Errors of every route that looks at an image, wherever it lies. */
export const IMAGE_ERRORS = [
  ...IMAGE_FILE_ERRORS,
  'remote_image_refused',
  'remote_image_unavailable',
  'image_not_found',
] as const;
