import type * as z from 'zod';
import { GlimpseError, type ErrorCode } from '../../errors.ts';
import { innermostIssue, reason, type Issue, type Path } from '../innermost-issue.ts';

/** Fields of OpenAI's API that are not honoured here: refused by name. */
const UNSUPPORTED_FIELDS = new Set([
  ...['audio', 'function_call', 'functions', 'metadata', 'moderation', 'parallel_tool_calls', 'prediction'],
  ...['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention', 'reasoning_effort'],
  ...['safety_identifier', 'service_tier', 'store', 'tool_choice', 'tools', 'user', 'verbosity'],
  ...['web_search_options', 'include_obfuscation'], // the latter of stream_options
  ...['name', 'refusal', 'tool_calls', 'tool_call_id', 'prompt_cache_breakpoint'], // of messages and parts
  'description', // of json_schema
]);

/** Values of OpenAI's API that are not honoured here. */
const UNSUPPORTED_VALUES = new Set<unknown>([
  ...['low', 'high', 'original'], // detail
  ...['tool', 'function'], // role
  ...['input_audio', 'file', 'refusal'], // type of a part
  ...['audio', 'grammar', 'python'], // modalities, response_format
]);

/** What the schema has against a request, as OpenAI's API would say it. */
export function requestError(error: z.ZodError, body: unknown): GlimpseError {
  const [issue] = error.issues;
  if (issue === undefined) throw error;
  const { path, found } = innermostIssue(issue);
  if (found.code === 'unrecognized_keys') return unrecognized(found.keys, path);
  const param = dotted(path);
  const value = at(body, path);
  if (param === '') return new GlimpseError('invalid_type', 'The request body must be a JSON object.');
  if (value === undefined && found.code !== 'custom') {
    return new GlimpseError('missing_required_parameter', `Missing required parameter: ${param}.`, { param });
  }
  return new GlimpseError(codeOf(found, value), `${param}: ${reason(found)}${given(value)}.`, { param });
}

function unrecognized([key = '']: readonly string[], path: Path): GlimpseError {
  const param = dotted([...path, key]);
  return UNSUPPORTED_FIELDS.has(key)
    ? new GlimpseError('unsupported_parameter', `${param} is not supported here: leave it out.`, { param })
    : new GlimpseError('unknown_parameter', `Unknown parameter: ${param}.`, { param });
}

function codeOf(issue: Issue, value: unknown): ErrorCode {
  if (UNSUPPORTED_VALUES.has(value)) return 'unsupported_value';
  return issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value';
}

function at(body: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    body,
  );
}

/** `messages[0].content[1].image_url.url`, as OpenAI writes it. */
export function dotted(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function given(value: unknown): string {
  return typeof value === 'string' && value.length <= 40 ? ` (not ${JSON.stringify(value)})` : '';
}
