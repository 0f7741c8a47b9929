/** Writes one line. */
export type Log = (
  level: 'log' | 'warn' | 'error',
  event: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/**
 * The log: a JSON object a line, as Workers Logs and every collector read it. What a caller sent (pixels,
 * prompts, keys) and what it was answered is never among the fields.
 */
export const log: Log = (level, event, fields) => {
  console[level](JSON.stringify({ event, ...fields }));
};

/** An error with all that it carries, for the log alone. */
export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack, cause } = error;
  return {
    error: `${name}: ${message}`,
    stack,
    ...(cause === undefined ? {} : { cause: errorFields(cause) }),
  };
}
