import type { ErrorBody } from '../routes/error-response.ts';

/** Why there is no answer: `message` is for the visitor to read. */
export class AskError extends Error {}

/** A response that is an error: the code by which to act on it, and the server's words. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export async function refusal(response: Response): Promise<Refusal> {
  try {
    const { error } = (await response.json()) as ErrorBody;
    return { code: error.code, message: error.message };
  } catch {
    // Not from the Worker: something before it, such as a proxy with a page of its own.
    return { code: '', message: `The server answered with status ${response.status} and no explanation.` };
  }
}
