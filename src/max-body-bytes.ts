/**
 * How much of a request's body the server reads; the page refuses larger photos before it sends them.
 * Set by what reading costs in workerd: see scripts/torture/memory-peaks.ts.
 */
export const MAX_BODY_BYTES = 12 * 1024 * 1024;

/** Of JSON: an image in it is a third longer, and its text and what it decodes to exist side by side. */
export const MAX_JSON_BYTES = 6 * 1024 * 1024;
