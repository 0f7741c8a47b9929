import { bundleName, type Architecture } from './architectures/architecture.ts';
import type { PublishedTensor } from './checkpoint.ts';
import { isFloatType, ITEM_SIZE } from './floats.ts';
import { product, tensorsOf } from './modules.ts';

/** Problems that one error lists. */
const LISTED = 8;

/**
 * Finds every tensor that the configuration asks for, before anything is written.
 * @returns published tensors by their names in a bundle
 * @throws Error that lists what is missing, misshapen, of another dtype or more than there should be
 */
export function matchTensors(
  architecture: Architecture,
  published: ReadonlyMap<string, PublishedTensor>,
): ReadonlyMap<string, PublishedTensor> {
  const needed = [...published.values()].filter(
    ({ name }) => !architecture.useless.some((pattern) => pattern.test(name)),
  );
  const found = new Map(
    needed.map((tensor) => [bundleName(architecture, tensor.name) ?? tensor.name, tensor]),
  );
  const expected = new Map(
    architecture.parts
      .flatMap(({ modules }) => modules.flatMap(tensorsOf))
      .map(({ name, shape }) => [name, shape] as const),
  );
  const problems = [
    ...[...expected].flatMap(([name, shape]) => {
      const tensor = found.get(name);
      return tensor === undefined ? [`${name} [${shape.join()}] is missing`] : problemsOf(tensor, shape);
    }),
    ...[...found].flatMap(([name, tensor]) =>
      expected.has(name) ? [] : [`${tensor.name} [${tensor.shape.join()}] has no place in this architecture`],
    ),
  ];
  if (problems.length > 0) throw new Error(mismatch(problems));
  return found;
}

function problemsOf({ name, dtype, shape, bytes }: PublishedTensor, expected: readonly number[]): string[] {
  if (!isFloatType(dtype)) {
    return [`${name} is ${dtype}: only ${Object.keys(ITEM_SIZE).join(', ')} can be quantised`];
  }
  if (shape.join() !== expected.join()) {
    return [`${name} is [${shape.join()}]; config.json asks for [${expected.join()}]`];
  }
  if (bytes !== product(shape) * ITEM_SIZE[dtype]) {
    return [`${name} has ${bytes} bytes, which its shape has not`];
  }
  return [];
}

function mismatch(problems: readonly string[]): string {
  const more = problems.length - LISTED;
  return [
    'The weights are not those that config.json describes:',
    ...problems.slice(0, LISTED).map((problem) => `  ${problem}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'Take both from the same model, as published; weights that are quantised already cannot be imported.',
  ].join('\n');
}
