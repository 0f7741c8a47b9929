import type { Architecture } from './architectures/architecture.ts';
import type { PublishedTensor } from './checkpoint.ts';
import { ISOLATE, planMemory, type MemoryPlan } from './memory-plan.ts';
import { product, sourceOf } from './modules.ts';
import { bytesOf, type Piece } from './pieces.ts';
import type { Plan } from './plan.ts';

/**
 * What an import would write and what it would take in an isolate, as text.
 * @param tensors published tensors by their names in a bundle
 * @param vocabulary entries of the tokenizer
 */
export function describePlan(
  architecture: Architecture,
  plan: Plan,
  tensors: ReadonlyMap<string, PublishedTensor>,
  vocabulary: number,
): string {
  return [sizes(plan, tensors), '', memory(planMemory(architecture, plan, vocabulary))].join('\n');
}

/** The layers of a vision tower are one line. */
function sizes({ parts, shards }: Plan, tensors: ReadonlyMap<string, PublishedTensor>): string {
  const groups = Map.groupBy(parts, ({ name }) => name.replace(/ \d+$/, 's'));
  const rows = [...groups].map(([name, several]) => {
    const pieces = several.flatMap((part) => part.pieces);
    return row(name, pieces, tensors);
  });
  const all = parts.flatMap((part) => part.pieces);
  return table([
    ['part', 'parameters', 'published', 'bundle', 'bits a weight'],
    ...rows,
    row(`in all, ${shards.length} shards`, all, tensors),
  ]);
}

function row(
  name: string,
  pieces: readonly Piece[],
  tensors: ReadonlyMap<string, PublishedTensor>,
): readonly string[] {
  const parameters = sum(pieces.map(parametersOf));
  const published = sum(pieces.map((piece) => parametersOf(piece) * itemSize(piece, tensors)));
  const bundle = sum(pieces.map(bytesOf));
  return [
    name,
    parameters.toLocaleString('en'),
    megabytes(published),
    megabytes(bundle),
    ((8 * bundle) / parameters).toFixed(2),
  ];
}

function parametersOf({ module, rows }: Piece): number {
  if (module.kind === 'floats') return product(module.shape);
  return rows * (product(module.shape.slice(1)) + (module.bias ? 1 : 0));
}

function itemSize({ module }: Piece, tensors: ReadonlyMap<string, PublishedTensor>): number {
  const name = module.kind === 'floats' ? module.name : `${sourceOf(module).name}.weight`;
  const tensor = tensors.get(name);
  return tensor ? tensor.bytes / product(tensor.shape) : 0;
}

function memory({ resident, phases, kv_per_token, context, positions, fits }: MemoryPlan): string {
  const base = sum(Object.values(resident));
  const limit = megabytes(ISOLATE);
  const rows = table([
    ['in an isolate', ''],
    ...Object.entries(resident).map(([name, bytes]) => [name, megabytes(bytes)]),
    ['all that stays', megabytes(base)],
    ...phases.map(({ name, bytes }) => [`with it ${name}`, megabytes(base + bytes)]),
    ['keys and values of a token', megabytes(kv_per_token, 3)],
    [`keys and values of the context, ${context}`, megabytes(kv_per_token * context)],
  ]);
  const room = `There is room for ${positions} of its ${context} positions, over all that it answers at one time.`;
  if (fits) return `${rows}\n\nIt fits an isolate of ${limit}. ${room}`;
  const tooMuch = phases.filter(({ bytes }) => base + bytes > ISOLATE).map(({ name }) => name);
  return `${rows}\n\nIt does not fit an isolate of ${limit}: too much is ${tooMuch.join('; ')}. ${room} ${ADVICE}`;
}

const ADVICE =
  'Give the vision half a Worker of its own behind a service binding, take a smaller model, or run it on Node.';

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows
    .map((cells) =>
      cells
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function megabytes(bytes: number, digits = 1): string {
  return `${(bytes / 1e6).toFixed(digits)} MB`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
