/** The kernels as WebAssembly exports them: pointers are byte offsets into the shared memory. Shapes: assembly/*.ts. */
export interface KernelExports {
  pack_q4(q: number, scale: number, out: number, n: number, k: number): void;
  pack_q8(q: number, scale: number, out: number, n: number, k: number): void;
  unpack_q4_row(w: number, row: number, k: number, out: number): void;
  matmul_q4: Matmul;
  matmul_q8: Matmul;
  stem_relu6(
    x: number,
    weight: number,
    bias: number,
    y: number,
    channels: number,
    h: number,
    w: number,
    c: number,
    ho: number,
    wo: number,
    kernel: number,
    stride: number,
    pad: number,
  ): void;
  depthwise_relu6(
    x: number,
    weight: number,
    bias: number,
    y: number,
    h: number,
    w: number,
    c: number,
    wo: number,
    kernel: number,
    stride: number,
    pad: number,
    from: number,
    to: number,
  ): void;
  mean_pixels(x: number, y: number, pixels: number, c: number): void;
  rms_norm(x: number, weight: number, y: number, rows: number, n: number, eps: number): void;
  silu_mul(x: number, y: number, rows: number, n: number): void;
  rope(x: number, cos: number, sin: number, heads: number, dim: number): void;
  attention(
    q: number,
    k0: number,
    v0: number,
    len0: number,
    k1: number,
    v1: number,
    len1: number,
    y: number,
    heads: number,
    kvHeads: number,
    dim: number,
    scratch: number,
  ): void;
  layer_norm(x: number, weight: number, bias: number, y: number, rows: number, n: number, eps: number): void;
  patches(
    x: number,
    y: number,
    channels: number,
    size: number,
    patch: number,
    from: number,
    rows: number,
  ): void;
  pack_keys_values(
    kv: number,
    panels: number,
    from: number,
    rows: number,
    tokens: number,
    heads: number,
    dim: number,
  ): void;
  attend_image(
    q: number,
    panels: number,
    y: number,
    rows: number,
    tokens: number,
    heads: number,
    dim: number,
    scratch: number,
  ): void;
}

type Matmul = (
  w: number,
  x: number,
  y: number,
  rows: number,
  k: number,
  n: number,
  bias: number,
  act: number,
  residual: number,
  a: number,
  panel: number,
  chunk: number,
) => void;
