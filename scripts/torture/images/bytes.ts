/** Big-endian numbers and Latin-1 text as bytes, for writing files by hand. */
export const uint16 = (value: number): readonly number[] => [(value >> 8) & 0xff, value & 0xff];

export const uint32 = (value: number): readonly number[] => [
  ...uint16(Math.floor(value / 0x10000)),
  ...uint16(value & 0xffff),
];

export const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

export function concat(parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
