/** What a benchmark's runs have in common. */

export async function section<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  process.stderr.write(`${name} ... `);
  const result = await work();
  process.stderr.write(`${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  return result;
}

/** Four significant digits: more are noise. Counts and sizes stay whole. */
export function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
