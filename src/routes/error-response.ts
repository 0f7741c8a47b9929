import { HTTPException } from 'hono/http-exception';
import type { ErrorCode } from '../errors.ts';
import { GlimpseError } from '../errors.ts';
import { errorFields, log } from '../log.ts';

/** The error object of OpenAI's API, which clients know how to read. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ErrorType;
    readonly param: string | null;
    readonly code: ErrorCode;
  };
}

type ErrorType = 'invalid_request_error' | 'server_error';

/** The one place that knows which status an error has. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  invalid_json: 400,
  unknown_option: 400,
  unknown_parameter: 400,
  unsupported_parameter: 400,
  unsupported_value: 400,
  missing_required_parameter: 400,
  invalid_type: 400,
  invalid_json_schema: 400,
  invalid_value: 400,
  missing_image: 400,
  missing_prompt: 400,
  remote_image_refused: 400,
  context_length_exceeded: 400,
  invalid_api_key: 401,
  image_not_found: 404,
  model_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  image_too_large: 413,
  body_too_large: 413,
  unsupported_image: 415,
  unsupported_media_type: 415,
  invalid_image: 422,
  too_many_requests: 429,
  bundle_invalid: 500,
  internal_error: 500,
  remote_image_unavailable: 502,
  shard_unavailable: 503,
  overloaded: 503,
};

const CLIENT_CLOSED_REQUEST = 499; // nginx's; nobody is there to read it, but a log may be
const RETRY_AFTER = '1'; // seconds; a shard is fetched again, a place may be free

/** Messages name what the caller sent, which may be megabytes. */
const LONGEST = { message: 1000, param: 200 };

export function errorBody(error: unknown): ErrorBody {
  const { message, param, code } = told(error);
  return {
    error: {
      message: shortened(message, LONGEST.message),
      type: STATUS[code] < 500 ? 'invalid_request_error' : 'server_error',
      param: param && shortened(param, LONGEST.param),
      code,
    },
  };
}

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`;
}

/** @param signal of the request: what fails after its caller has left is no error. */
export function errorResponse(error: unknown, signal?: AbortSignal): Response {
  if (signal?.aborted) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  if (error instanceof HTTPException) return error.getResponse(); // a middleware's, made of one of ours
  const body = errorBody(error);
  const status = STATUS[body.error.code];
  const response = Response.json(body, { status });
  if (status === 429 || status === 503) response.headers.set('retry-after', RETRY_AFTER);
  return response;
}

/** 503, whatever the error's own status is. */
export function retryLater(body: ErrorBody): Response {
  return Response.json(body, { status: 503, headers: { 'retry-after': RETRY_AFTER } });
}

/** @param methods that the path does take. */
export function methodNotAllowedResponse(methods: readonly string[]): Response {
  const allow = methods.join(', ');
  const response = errorResponse(new GlimpseError('method_not_allowed', `This path takes ${allow} only.`));
  response.headers.set('allow', allow);
  return response;
}

/** What the caller may hear. Of what nobody foresaw the log has the details and the caller none. */
function told(error: unknown): GlimpseError {
  if (error instanceof GlimpseError) return error;
  log('error', 'internal_error', errorFields(error));
  return new GlimpseError('internal_error', 'The server failed. The request may be sent again.');
}
