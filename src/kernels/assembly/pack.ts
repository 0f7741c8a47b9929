// Weights as a bundle stores them, into the order in which the products read them ("T8"). The values
// and their number do not change: 4 bits stay 4 bits.
//
// A tile is 8 output rows; in it, blocks of 32 inputs follow each other.
// 4-bit block, 144 bytes: 8 float16 scales; for j in 0..3, for g in 0..1: 16 bytes, of which byte
//   4r + c holds q[4g + r][4j + c] in its low nibble and q[4g + r][16 + 4j + c] in its high one.
// 8-bit block, 256 bytes: 16 pairs of inputs in the order of an A16 record; of each pair 16 bytes: rows
//   0..7, two inputs each. The rows' float32 scales stand before the tile: 32 bytes.

/** Bytes of a 4-bit block of 8 rows, scales included. */
export const Q4_BLOCK: usize = 144;
/** Bytes of an 8-bit block of 8 rows. */
export const Q8_BLOCK: usize = 256;

// @ts-ignore: decorator
@inline
function nibble(q: usize, k: i32, width: i32): u32 {
  if (k >= width) return 8; // zero, as value + 8
  return (<u32>load<u8>(q + <usize>(k >> 1)) >> ((k & 1) << 2)) & 15;
}

/**
 * @param q     uint8 [n, ceil(k / 2)], the even input in the low nibble, value + 8
 * @param scale float16 [n, ceil(k / 32)]
 * @param out   ceil(n / 8) * ceil(k / 32) * 144 bytes; rows past n are zero
 */
export function pack_q4(q: usize, scale: usize, out: usize, n: i32, k: i32): void {
  const nb = (k + 31) >> 5;
  const ldq = <usize>((k + 1) >> 1);
  for (let t = 0; t < n; t += 8) {
    for (let b = 0; b < nb; b++) {
      for (let r = 0; r < 8; r++) {
        const at = out + <usize>(16 + ((r >> 2) << 4) + ((r & 3) << 2));
        const row = t + r;
        if (row >= n) {
          store<u16>(out + <usize>(2 * r), 0);
          for (let j = 0; j < 4; j++) store<u32>(at + <usize>(32 * j), 0x88888888);
          continue;
        }
        store<u16>(out + <usize>(2 * r), load<u16>(scale + <usize>(2 * (row * nb + b))));
        const src = q + <usize>row * ldq + <usize>(16 * b);
        if (32 * b + 32 <= k) {
          // Two bytes hold four inputs; spread them over four bytes, once for either half of the block.
          for (let j = 0; j < 4; j++) {
            const lo = <u32>load<u16>(src + <usize>(2 * j)), hi = <u32>load<u16>(src + <usize>(8 + 2 * j));
            store<u32>(at + <usize>(32 * j), spread(lo) | (spread(hi) << 4));
          }
        } else {
          const left = k - 32 * b;
          for (let j = 0; j < 16; j++) {
            const byte = nibble(src, j, left) | (nibble(src, j + 16, left) << 4);
            store<u8>(at + <usize>(32 * (j >> 2) + (j & 3)), byte);
          }
        }
      }
      out += Q4_BLOCK;
    }
  }
}

/** Four nibbles of a u16 into the low nibbles of four bytes. */
// @ts-ignore: decorator
@inline
function spread(v: u32): u32 {
  return (v & 15) | ((v & 0xf0) << 4) | ((v & 0xf00) << 8) | ((v & 0xf000) << 12);
}

/** The input that stands at place p (0..31) of an A16 record. */
// @ts-ignore: decorator
@inline
function input(p: i32): i32 {
  const i = p & 7;
  return (p & ~7) + (i < 4 ? 2 * i : 2 * i - 7);
}

/**
 * @param q     int8 [n, k]
 * @param scale float32 [n]
 * @param out   ceil(n / 8) * (32 + ceil(k / 32) * 256) bytes
 */
export function pack_q8(q: usize, scale: usize, out: usize, n: i32, k: i32): void {
  const nb = (k + 31) >> 5;
  for (let t = 0; t < n; t += 8) {
    for (let r = 0; r < 8; r++) {
      const s: f32 = t + r < n ? load<f32>(scale + <usize>(4 * (t + r))) : 0;
      store<f32>(out + <usize>(4 * r), s);
    }
    out += 32;
    for (let b = 0; b < nb; b++) {
      for (let p = 0; p < 32; p++) {
        const i = 32 * b + input(p);
        for (let r = 0; r < 8; r++) {
          const v: i8 = t + r < n && i < k ? load<i8>(q + <usize>((t + r) * k + i)) : 0;
          store<i8>(out + <usize>((p >> 1) * 16 + 2 * r + (p & 1)), v);
        }
      }
      out += Q8_BLOCK;
    }
  }
}

/** Row `n` of packed 4-bit weights as floats: an embedding. */
export function unpack_q4_row(w: usize, n: i32, k: i32, out: usize): void {
  const nb = (k + 31) >> 5;
  const r = n & 7;
  let p = w + <usize>(n >> 3) * nb * Q4_BLOCK;
  for (let b = 0; b < nb; b++) {
    const s = reinterpret<f32>(((<i32>load<i16>(p + <usize>(2 * r))) << 13) & 0x8fffe000) * <f32>5.192296858534828e33;
    const at = p + <usize>(16 + ((r >> 2) << 4) + ((r & 3) << 2));
    for (let i = 0; i < 32 && 32 * b + i < k; i++) {
      const byte = <u32>load<u8>(at + <usize>(32 * ((i & 15) >> 2) + (i & 3)));
      store<f32>(out + <usize>(4 * (32 * b + i)), <f32>(<i32>((i < 16 ? byte : byte >> 4) & 15) - 8) * s);
    }
    p += Q4_BLOCK;
  }
}
