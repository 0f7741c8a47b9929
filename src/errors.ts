/**
 * What can go wrong, by name. `routes/error-response.ts` gives each its HTTP status; nothing else
 * in Glimpse knows about statuses.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_json'
  | 'unknown_option'
  | 'unknown_parameter'
  | 'unsupported_parameter'
  | 'unsupported_value'
  | 'missing_required_parameter'
  | 'invalid_type'
  | 'invalid_json_schema'
  | 'invalid_value'
  | 'missing_image'
  | 'missing_prompt'
  | 'unsupported_image'
  | 'invalid_image'
  | 'image_too_large'
  | 'body_too_large'
  | 'image_not_found'
  | 'remote_image_refused'
  | 'remote_image_unavailable'
  | 'context_length_exceeded'
  | 'model_not_found'
  | 'invalid_api_key'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type'
  | 'request_timeout'
  | 'too_many_requests'
  | 'overloaded'
  | 'shard_unavailable'
  | 'bundle_invalid'
  | 'internal_error';

export interface ErrorDetails {
  /** The request field to change, as the caller wrote it. */
  readonly param?: string;
  readonly cause?: unknown;
}

/** The one error family. `message` is written for the caller and says what to change. */
export class GlimpseError extends Error {
  override readonly name = 'GlimpseError';
  readonly code: ErrorCode;
  readonly param: string | null;

  constructor(code: ErrorCode, message: string, { param, cause }: ErrorDetails = {}) {
    super(message, { cause });
    this.code = code;
    this.param = param ?? null;
  }
}
