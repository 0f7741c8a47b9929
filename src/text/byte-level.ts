/**
 * The bytes that a token of a byte-level vocabulary stands for. Such a vocabulary writes each byte as
 * one printable character: as itself where it is one in Latin-1, else from U+0100 on (bytes_to_unicode
 * of GPT-2's encoder.py).
 */
export function byteLevelBytes(token: string): Uint8Array {
  return Uint8Array.from(token, (character) => BYTES.get(character) ?? 0);
}

const BYTES = byteOfCharacter();

function byteOfCharacter(): ReadonlyMap<string, number> {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const printable = (byte: number): boolean => /[!-~¡-¬®-ÿ]/.test(String.fromCharCode(byte));
  const moved = bytes.filter((byte) => !printable(byte));
  return new Map([
    ...bytes.filter(printable).map((byte) => [String.fromCharCode(byte), byte] as const),
    ...moved.map((byte, index) => [String.fromCharCode(256 + index), byte] as const),
  ]);
}
