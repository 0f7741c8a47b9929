import protobuf from 'protobufjs';

/** What of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) a graph of our own needs. */
const { root } = protobuf.parse(
  `syntax = "proto3";
  message Attribute { string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20; }
  message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; string domain = 7; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message Dim { int64 dim_value = 1; string dim_param = 2; }
  message Shape { repeated Dim dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Type { TensorType tensor_type = 1; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
  message Opset { string domain = 1; int64 version = 2; }
  message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; }`,
  { keepCase: true },
);
const Model = root.lookupType('Model');

const [FLOAT, UINT8, INT8, INT64] = [1, 2, 3, 7] as const;
const INPUT_TYPE = { float32: FLOAT, int64: INT64 } as const;
const ATTRIBUTE_TYPE = { f: 1, i: 2, s: 3, ints: 7 } as const;

type Data = Float32Array | Uint8Array | Int8Array | BigInt64Array;
type Attribute =
  | { readonly f: number }
  | { readonly i: number }
  | { readonly s: string }
  | { readonly ints: readonly number[] };

/** An ONNX graph under construction; values go by the names that its methods return. */
export interface Graph {
  /** An input. A dimension given as a string is free. */
  input(name: string, dims: readonly (number | string)[], type?: keyof typeof INPUT_TYPE): string;
  constant(data: Data, dims: readonly number[]): string;
  node(
    op_type: string,
    input: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: 'com.microsoft',
  ): string;
  /** A node with so many outputs. */
  nodes(
    count: number,
    op_type: string,
    input: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: 'com.microsoft',
  ): readonly string[];
  /** The encoded model. // outputs by name, float32 of free shape */
  encode(outputs: Readonly<Record<string, string>>): Uint8Array;
}

export function createGraph(): Graph {
  const node: object[] = [];
  const initializer: object[] = [];
  const input: object[] = [];
  let names = 0;
  const fresh = () => `v${names++}`;
  const value = (name: string, elem_type: number, shape?: object) => ({
    name,
    type: { tensor_type: { elem_type, shape } },
  });
  const nodes: Graph['nodes'] = (count, op_type, from, attributes = {}, domain) => {
    const names = Array.from({ length: count }, fresh);
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...encoded(value) }));
    node.push({ op_type, input: from, output: names, attribute, ...(domain ? { domain } : {}) });
    return names;
  };

  return {
    input(name, dims, type = 'float32') {
      const dim = dims.map((d) => (typeof d === 'number' ? { dim_value: d } : { dim_param: d }));
      input.push(value(name, INPUT_TYPE[type], { dim }));
      return name;
    },
    constant(data, dims) {
      const name = fresh();
      const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      initializer.push({ name, dims, data_type: dataType(data), raw_data });
      return name;
    },
    node: (...args) => nodes(1, ...args)[0] ?? '',
    nodes,
    encode(outputs) {
      const named = Object.entries(outputs).map(([name, from]) => {
        node.push({ op_type: 'Identity', input: [from], output: [name] });
        return value(name, FLOAT);
      });
      const graph = { name: 'g', node, initializer, input, output: named };
      const opset_import = [
        { domain: '', version: 20 },
        { domain: 'com.microsoft', version: 1 },
      ];
      return Model.encode(Model.create({ ir_version: 9, graph, opset_import })).finish();
    },
  };
}

function dataType(data: Data): number {
  if (data instanceof Float32Array) return FLOAT;
  if (data instanceof Uint8Array) return UINT8;
  return data instanceof Int8Array ? INT8 : INT64;
}

function encoded(attribute: Attribute): object {
  if ('f' in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.f };
  if ('i' in attribute) return { ...attribute, type: ATTRIBUTE_TYPE.i };
  if ('s' in attribute) return { s: new TextEncoder().encode(attribute.s), type: ATTRIBUTE_TYPE.s };
  return { ...attribute, type: ATTRIBUTE_TYPE.ints };
}
