import type * as z from 'zod';

export type Issue = z.core.$ZodIssue;
export type Path = readonly PropertyKey[];

/** What a schema has against a value, and where. */
export interface Found {
  readonly path: Path;
  readonly found: Issue;
}

/** Of a union, what the member says that the value fits best: the one that got furthest into it. */
export function innermostIssue(issue: Issue, base: Path = []): Found {
  const path = [...base, ...issue.path];
  if (issue.code !== 'invalid_union') return { path, found: issue };
  const members = issue.errors.flatMap((issues) => issues.slice(0, 1).map((m) => innermostIssue(m, path)));
  const fits = members.toSorted((a, b) => depth(b) - depth(a));
  return fits[0] ?? { path, found: issue };
}

/** An unrecognized key stands within the value; a value of the wrong type, or of no use, is the value itself. */
function depth({ path, found }: Found): number {
  return found.code === 'invalid_type' || found.code === 'custom' ? path.length : path.length + 1;
}

/** What is wrong, in words. Of a name that does not fit zod tells only under it. */
export function reason(issue: Issue): string {
  const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
  return (inner ?? issue).message;
}
