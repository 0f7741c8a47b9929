/**
 * A bundle's name as a user gives it: it is a folder's too.
 * @throws Error that says what a name may be
 */
export function bundleId(given: string | undefined): string {
  if (given === undefined) throw new Error('The bundle needs a name: --id NAME.');
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(given)) return given;
  throw new Error(
    `--id ${JSON.stringify(given)}: use letters, digits, dots, dashes and underscores, no slash; a letter or digit first.`,
  );
}
