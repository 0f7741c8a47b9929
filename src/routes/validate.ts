import type * as z from 'zod';
import { GlimpseError } from '../errors.ts';
import type { Fields, RequestSchema } from './text-fields.ts';

/** @throws GlimpseError for the first thing that the schema does not take, with its name as `param`. */
export function validate<Schema extends RequestSchema>(schema: Schema, fields: Fields): z.output<Schema> {
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw issue ? requestError(issue, schema, fields) : result.error;
}

type Issue = z.core.$ZodIssue;

function requestError(issue: Issue, schema: RequestSchema, fields: Fields): GlimpseError {
  if (issue.code === 'unrecognized_keys') return unknownOption(issue.keys, schema);
  const [field] = issue.path;
  if (field === undefined) return new GlimpseError('invalid_request', `The request body: ${reason(issue)}.`);
  const given = fields[String(field)];
  if (field === 'image' && isEmpty(given)) return missingImage();
  if (field === 'prompt' && isEmpty(given)) return missingPrompt();
  const param = issue.path.join('.');
  return new GlimpseError('invalid_value', `${param}: ${reason(issue)}.`, { param });
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

function missingImage(): GlimpseError {
  const message =
    'There is no image: send it as a file, as a data URL, as the body, or by the sha256: handle of an earlier answer.';
  return new GlimpseError('missing_image', message, { param: 'image' });
}

function missingPrompt(): GlimpseError {
  return new GlimpseError('missing_prompt', 'There is no prompt: say what to answer about the image.', {
    param: 'prompt',
  });
}

/** What zod says, and of a union what each of its members says. */
function reason(issue: Issue): string {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue.message;
  return issue.errors.map((member) => member.map(reason).join(', ')).join(' or ');
}
