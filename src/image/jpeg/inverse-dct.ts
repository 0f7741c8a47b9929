/**
 * The 8x8 inverse cosine transform by Loeffler, Ligtenberg and Moschytz (ICASSP 1989): 12 products a
 * line, in fixed point with 13 fractional bits, of which two stay between the passes. That is the
 * arithmetic of the "slow" transform that Pillow and nearly everyone decode JPEGs with, so samples
 * come out equal to the bit.
 */
const FRACTION = 13;
const KEPT = 2;
const fixed = (constant: number): number => Math.round(constant * (1 << FRACTION));

const C_0_298 = fixed(0.298631336);
const C_0_390 = fixed(0.390180644);
const C_0_541 = fixed(0.5411961);
const C_0_765 = fixed(0.765366865);
const C_0_899 = fixed(0.899976223);
const C_1_175 = fixed(1.175875602);
const C_1_501 = fixed(1.50132111);
const C_1_847 = fixed(1.847759065);
const C_1_961 = fixed(1.96157056);
const C_2_053 = fixed(2.053119869);
const C_2_562 = fixed(2.562915447);
const C_3_072 = fixed(3.072711026);

/**
 * @param block dequantised coefficients, row by row; overwritten // [8, 8]
 * @param out gets samples 0 to 255 from `at`, a row every `stride`
 */
export function inverseDct(block: Int32Array, out: Uint8Array, at: number, stride: number): void {
  for (let column = 0; column < 8; column++) transform(block, column, 8, FRACTION - KEPT);
  for (let row = 0; row < 64; row += 8) transform(block, row, 1, FRACTION + KEPT + 3);
  for (let row = 0; row < 8; row++) {
    for (let x = 0; x < 8; x++) {
      const sample = (block[row * 8 + x] ?? 0) + 128;
      out[at + row * stride + x] = sample < 0 ? 0 : sample > 255 ? 255 : sample;
    }
  }
}

/** One line of eight in place, `step` apart, rounded by `shift` bits. */
function transform(line: Int32Array, from: number, step: number, shift: number): void {
  const x0 = line[from] ?? 0;
  const x1 = line[from + step] ?? 0;
  const x2 = line[from + 2 * step] ?? 0;
  const x3 = line[from + 3 * step] ?? 0;
  const x4 = line[from + 4 * step] ?? 0;
  const x5 = line[from + 5 * step] ?? 0;
  const x6 = line[from + 6 * step] ?? 0;
  const x7 = line[from + 7 * step] ?? 0;
  const half = 1 << (shift - 1);

  const turned = Math.imul(x2 + x6, C_0_541);
  const e2 = turned - Math.imul(x6, C_1_847);
  const e3 = turned + Math.imul(x2, C_0_765);
  const e0 = (x0 + x4) << FRACTION;
  const e1 = (x0 - x4) << FRACTION;
  const even0 = e0 + e3 + half;
  const even1 = e1 + e2 + half;
  const even2 = e1 - e2 + half;
  const even3 = e0 - e3 + half;

  const shared = Math.imul(x7 + x3 + x5 + x1, C_1_175);
  const z1 = -Math.imul(x7 + x1, C_0_899);
  const z2 = -Math.imul(x5 + x3, C_2_562);
  const z3 = shared - Math.imul(x7 + x3, C_1_961);
  const z4 = shared - Math.imul(x5 + x1, C_0_390);
  const odd3 = Math.imul(x7, C_0_298) + z1 + z3;
  const odd2 = Math.imul(x5, C_2_053) + z2 + z4;
  const odd1 = Math.imul(x3, C_3_072) + z2 + z3;
  const odd0 = Math.imul(x1, C_1_501) + z1 + z4;

  line[from] = (even0 + odd0) >> shift;
  line[from + step] = (even1 + odd1) >> shift;
  line[from + 2 * step] = (even2 + odd2) >> shift;
  line[from + 3 * step] = (even3 + odd3) >> shift;
  line[from + 4 * step] = (even3 - odd3) >> shift;
  line[from + 5 * step] = (even2 - odd2) >> shift;
  line[from + 6 * step] = (even1 - odd1) >> shift;
  line[from + 7 * step] = (even0 - odd0) >> shift;
}
