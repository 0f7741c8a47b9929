/** One line of the report: trials of one kind, and what came of them. */
export interface Row {
  readonly kind: string;
  readonly tried: number;
  /** How often each outcome came, by name. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** In words, one for each trial that did not end as it must. */
  readonly failures: readonly string[];
  readonly slowest_ms: number;
  /** Which trial that was. */
  readonly slowest: string;
  /** The most memory that any of them took, in the words of its section; null where it was not measured. */
  readonly peak_mb: number | null;
  /** What else there is to say, in a line under the table. */
  readonly note?: string;
}

export interface Context {
  readonly seed: number;
  readonly mutants: number;
  readonly progress: (done: number, total: number, what: string) => void;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly run: (context: Context) => Promise<readonly Row[]>;
}

/** One table a section, then its failures. */
export function sectionMarkdown(title: string, rows: readonly Row[]): string {
  const header = ['', 'tried', 'outcomes', 'failed', 'slowest', 'which', 'peak memory'];
  const lines = rows.map((row) => [
    row.kind,
    row.tried,
    Object.entries(row.outcomes)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
    row.failures.length,
    `${row.slowest_ms.toFixed(0)} ms`,
    row.slowest,
    row.peak_mb === null ? '' : `${row.peak_mb.toFixed(0)} MB`,
  ]);
  const table = [header, header.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  const failures = rows.flatMap(({ kind, failures }) => failures.map((what) => `- ${kind}: ${what}`));
  const notes = rows.flatMap(({ kind, note }) => (note === undefined ? [] : [`- ${kind}: ${note}`]));
  return [
    ...[`## ${title}`, '', ...table],
    ...(notes.length > 0 ? ['', ...notes] : []),
    ...(failures.length > 0 ? ['', 'Failed:', '', ...failures] : []),
  ].join('\n');
}
