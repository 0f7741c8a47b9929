import * as z from 'zod';
import type { ErrorCode } from '../errors.ts';
import { STATUS } from '../routes/error-response.ts';

const CODES = Object.keys(STATUS) as [ErrorCode, ...ErrorCode[]];

/** The error object of OpenAI's API. */
export const errorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string().meta({ description: 'What to change.' }),
    type: z.enum(['invalid_request_error', 'server_error']),
    param: z.string().nullable().meta({ description: 'The field of the request that it is about.' }),
    code: z.enum(CODES),
  }),
});

/** Codes by their status, in order. */
export function byStatus(codes: readonly ErrorCode[]): ReadonlyMap<number, readonly ErrorCode[]> {
  const sorted = [...new Set(codes)].sort((a, b) => STATUS[a] - STATUS[b]);
  return Map.groupBy(sorted, (code) => STATUS[code]);
}
