/** Prometheus' text format, as far as it is written here: https://prometheus.io/docs/instrumenting/exposition_formats */

export type Labels = Readonly<Record<string, string>>;

/** One metric: a value for each combination of its labels. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: () => Iterable<readonly [labels: Labels, value: number]>;
}

/** A value that goes up only (counter), or up and down (gauge). */
export interface Tally extends Metric {
  readonly add: (labels: Labels, amount?: number) => void;
}

/** @param start label values that are told from the first scrape on, as 0 */
export function createTally(
  name: string,
  type: Metric['type'],
  help: string,
  start: readonly Labels[] = [],
): Tally {
  const values = new Map<string, { readonly labels: Labels; value: number }>();
  const add: Tally['add'] = (labels, amount = 1) => {
    const key = JSON.stringify(labels);
    const sample = values.get(key) ?? { labels, value: 0 };
    sample.value += amount;
    values.set(key, sample);
  };
  for (const labels of start) add(labels, 0);
  return {
    name,
    help,
    type,
    add,
    samples: () => [...values.values()].map((s) => [s.labels, s.value] as const),
  };
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics.map(render).join('');
}

function render({ name, help, type, samples }: Metric): string {
  const lines = Array.from(samples(), ([labels, value]) => `${name}${braces(labels)} ${value}\n`);
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
