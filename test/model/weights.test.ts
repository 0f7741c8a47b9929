import { describe, expect, it } from 'vitest';
import type { DType, Tensor } from '../../src/bundle/safetensors.ts';
import { createEngine, type Linear } from '../../src/kernels/engine.ts';
import { nodeKernelModules } from '../../src/kernels/modules-node.ts';
import { createWeights } from '../../src/model/weights.ts';
import { activations, uniform } from '../reference/random.ts';

const engine = createEngine(nodeKernelModules, 2 ** 28);
const random = uniform(31);
const K = 40;

function tensor(name: string, dtype: DType, shape: readonly number[], data: ArrayBufferView): Tensor {
  return { name, dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256);

function biasOf(name: string, n: number): Tensor {
  return tensor(`${name}.bias`, 'F32', [n], activations(n, random));
}

function q4(name: string, n: number): readonly Tensor[] {
  const scale = Uint16Array.from({ length: 2 * n }, () => 0x2000 + Math.floor(random() * 0x1000));
  return [
    tensor(`${name}.weight.q4`, 'U8', [n, K / 2], bytes((n * K) / 2)),
    tensor(`${name}.weight.scale`, 'F16', [n, 2], scale),
    biasOf(name, n),
  ];
}

function q8(name: string, n: number): readonly Tensor[] {
  return [
    tensor(`${name}.weight.q8`, 'I8', [n, K], bytes(n * K)),
    tensor(`${name}.weight.scale`, 'F32', [n], activations(n, random)),
    biasOf(name, n),
  ];
}

/** As a bundle gives them: a tensor's data is gone when the next is asked for. */
async function* streamOf(tensors: Iterable<Tensor>): AsyncGenerator<Tensor> {
  for (const tensor of tensors) {
    const data = tensor.data.slice();
    yield await Promise.resolve({ ...tensor, data });
    data.buffer.transfer(0);
  }
}

const weightsOf = (tensors: Iterable<Tensor>) => createWeights(engine, streamOf(tensors));

/** Rows of a tensor as one of their own. */
function rows(
  { name, dtype, shape: [n = 0, ...rest], data }: Tensor,
  from: number,
  to: number,
  as: string,
): Tensor {
  const row = data.length / n;
  const cut = data.slice(from * row, to * row);
  return tensor(name.replace('layer', as), dtype, [to - from, ...rest], cut);
}

function product(linear: Linear, x: Float32Array): Float32Array {
  const [at, y] = [engine.memory.put(x), engine.memory.alloc(4 * 2 * linear.out_features)];
  engine.matmul(linear, at, y, 2);
  return engine.memory.f32(y, 2 * linear.out_features).slice();
}

describe.each([
  ['4', q4],
  ['8', q8],
] as const)('layers of %s bits', (_, layer) => {
  it('fused are the layers one behind the other, biases too', async () => {
    const parts = [layer('a', 8), layer('b', 24)].flat();
    const x = activations(2 * K, random);
    const fused = product(await weightsOf(parts).fused(['a', 'b'], K, [8, 24]), x);
    const apart = weightsOf(parts);
    const a = product(await apart.linear('a', K, 8), x);
    const b = product(await apart.linear('b', K, 24), x);
    const row = (y: Float32Array, i: number) => [...y.subarray((i * y.length) / 2, ((i + 1) * y.length) / 2)];
    expect([...fused]).toEqual([0, 1].flatMap((i) => [...row(a, i), ...row(b, i)]));
    const bare = product(await weightsOf(parts).fused(['a', 'b'], K, [8, 24], false), x);
    expect(bare).not.toEqual(fused);
  });

  it('cut by rows are the whole layer', async () => {
    const whole = layer('layer', 40);
    const cut = [0, 16, 32].flatMap((from, i) =>
      whole.map((tensor) => rows(tensor, from, Math.min(from + 16, 40), `layer.${i}`)),
    );
    const x = activations(2 * K, random);
    expect(product(await weightsOf(cut).linear('layer', K, 40), x)).toEqual(
      product(await weightsOf(whole).linear('layer', K, 40), x),
    );
  });
});

it.each([
  ['4', q4],
  ['8', q8],
] as const)('a table of %s bits may have any number of rows, in pieces too', async (_, layer) => {
  const whole = layer('layer', 24);
  const cut = [0, 16].flatMap((from, i) =>
    whole.map((tensor) => rows(tensor, from, i ? 21 : 16, `layer.${i}`)),
  );
  const x = activations(2 * K, random);
  const table = await weightsOf(cut).table('layer', K, 21);
  expect(table.out_features).toBe(24);
  const y = product(table, x);
  const expected = product(await weightsOf(whole).linear('layer', K, 24, false), x);
  for (const row of [0, 24]) {
    expect(y.subarray(row, row + 21)).toEqual(expected.subarray(row, row + 21));
    expect([...y.subarray(row + 21, row + 24)].map(Math.abs)).toEqual([0, 0, 0]);
  }
  const inner = [0, 12].flatMap((from, i) =>
    whole.map((tensor) => rows(tensor, from, i ? 24 : 12, `layer.${i}`)),
  );
  await expect(weightsOf(inner).table('layer', K, 24)).rejects.toThrow('12 outputs');
});

it('reads no further than the tensors that are asked for, and each once', async () => {
  const tensors = [q4('a', 8), q4('b', 8), q4('c', 8)].flat();
  const read: string[] = [];
  const weights = weightsOf(
    (function* () {
      for (const tensor of tensors) {
        read.push(tensor.name);
        yield tensor;
      }
    })(),
  );
  await weights.linear('b', K, 8);
  expect(read).toEqual(tensors.slice(0, 6).map(({ name }) => name));
  await weights.linear('a', K, 8); // has come before
  expect(read).toHaveLength(6);
});

it('gives back all memory that it took', async () => {
  const before = engine.memory.used;
  const weights = weightsOf([...q4('a', 8), ...q8('b', 8), biasOf('c', 12)]);
  await weights.linear('a', K, 8);
  await weights.linear('b', K, 8, false);
  await weights.floats('c.bias', 12);
  expect(engine.memory.used).toBeGreaterThan(before);
  weights.release();
  expect(engine.memory.used).toBe(before);
});

describe('refuses', () => {
  const invalid = (message: RegExp): object => ({
    code: 'bundle_invalid',
    message: expect.stringMatching(message) as string,
  });
  const a = q4('a', 16);

  it.each<[what: string, tensors: readonly Tensor[], message: RegExp]>([
    ['a layer that is not there', q4('b', 16), /no tensor a\.weight\.q4/],
    ['a layer without its scales', a.slice(0, 1), /no tensor a\.weight\.scale/],
    ['a layer without its bias', a.slice(0, 2), /no tensor a\.bias/],
    ['more outputs than configured', q4('a', 24), /a\.weight\.q4 is U8 \[24,20\].*asks for U8 \[16,20\]/],
    ['fewer outputs in its pieces', [...q4('a.0', 8)], /no tensor a\.1\.weight\.q4/],
    ['more outputs in its pieces', [...q4('a.0', 8), ...q4('a.1', 16)], /a\.1\.weight\.q4 is U8 \[16,20\]/],
    ['pieces of different bits', [...q4('a.0', 8), ...q8('a.1', 8)], /as many bits/],
  ])('%s', async (_, tensors, message) => {
    await expect(weightsOf(tensors).linear('a', K, 16)).rejects.toMatchObject(invalid(message));
  });

  it('layers whose outputs do not fill tiles', async () => {
    const weights = weightsOf(q4('a', 12));
    await expect(weights.linear('a', K, 12)).rejects.toMatchObject(invalid(/12 outputs.*multiples of 8/));
  });
});
