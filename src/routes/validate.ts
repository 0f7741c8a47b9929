import type * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import { innermostIssue, reason, type Issue } from './innermost-issue.ts';
import type { Fields, RequestSchema } from './text-fields.ts';

/** @throws GlimpseError for the first thing that the schema does not take, with its name as `param`. */
export function validate<Schema extends RequestSchema>(schema: Schema, fields: Fields): z.output<Schema> {
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue ? requestError(issue, schema, fields) : result.error;
}

function requestError(issue: Issue, schema: RequestSchema, fields: Fields): GlimpseError {
  const { path, found } = innermostIssue(issue);
  const [field] = path;
  if (found.code === 'unrecognized_keys') {
    return field === undefined
      ? unknownOption(found.keys, schema)
      : unknownWithin(path.join('.'), found.keys);
  }
  if (field === undefined) return new GlimpseError('invalid_request', `The request body: ${reason(found)}.`);
  const given = fields[String(field)];
  if (field === 'image' && isEmpty(given)) return missingImage(given);
  if (field === 'prompt' && isEmpty(given)) return missingPrompt();
  const param = path.join('.');
  const why = given === undefined && found.code !== 'custom' ? 'it is missing' : reason(found);
  return new GlimpseError('invalid_value', `${param}: ${why}.`, { param });
}

function isEmpty(given: unknown): boolean {
  return (
    given === undefined ||
    (typeof given === 'string' && given.trim() === '') ||
    (given instanceof Uint8Array && given.length === 0)
  );
}

function unknownOption(names: readonly string[], schema: RequestSchema): GlimpseError {
  const known = Object.keys(schema.shape).join(', ');
  const unknown = names.join(', ');
  return new GlimpseError('unknown_option', `Unknown option: ${unknown}. This route knows ${known}.`, {
    param: names[0] ?? '',
  });
}

function unknownWithin(place: string, [name = '']: readonly string[]): GlimpseError {
  const param = `${place}.${name}`;
  return new GlimpseError('unknown_option', `Unknown option: ${param}.`, { param });
}

function missingImage(given: unknown): GlimpseError {
  const message =
    given instanceof Uint8Array
      ? 'The image is empty: send a complete JPEG or PNG file.'
      : 'There is no image: send it as a file, as a data URL, as the body, or by the sha256: handle of an earlier answer.';
  return new GlimpseError('missing_image', message, { param: 'image' });
}

function missingPrompt(): GlimpseError {
  return new GlimpseError('missing_prompt', 'There is no prompt: say what to answer about the image.', {
    param: 'prompt',
  });
}
