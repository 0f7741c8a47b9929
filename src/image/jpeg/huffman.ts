import { invalidImage } from '../errors.ts';

const LOOKAHEAD = 9;

/** A table of codes to decode with. Codes of up to 9 bits are looked up, longer ones are searched. */
export interface HuffmanTable {
  readonly lookup: Uint16Array; // [512] length << 8 | symbol; 0 where the code is longer
  readonly maxCode: Int32Array; // [17] the last code of each length, -1 where there is none
  readonly offset: Int32Array; // [17] symbols[offset + code]
  readonly symbols: Uint8Array;
}

/** A table as the file has it. */
export interface HuffmanSpec {
  readonly counts: Uint8Array; // [16]
  readonly symbols: Uint8Array;
}

/**
 * `counts` is how many codes there are of each length from 1 to 16 (DHT's BITS).
 * @throws invalid_image where there are more codes than their lengths allow.
 */
export function buildHuffmanTable({ counts, symbols }: HuffmanSpec): HuffmanTable {
  const lookup = new Uint16Array(1 << LOOKAHEAD);
  const maxCode = new Int32Array(17).fill(-1);
  const offset = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++, code <<= 1) {
    const count = counts[length - 1] ?? 0;
    if (code + count > 1 << length) throw invalidImage('The JPEG has a Huffman table with too many codes.');
    offset[length] = index - code;
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > LOOKAHEAD) continue;
      const from = code << (LOOKAHEAD - length);
      lookup.fill((length << 8) | (symbols[index] ?? 0), from, from + (1 << (LOOKAHEAD - length)));
    }
    if (count > 0) maxCode[length] = code - 1;
  }
  return { lookup, maxCode, offset, symbols };
}

/**
 * The bits of one scan. Stuffed zeros are dropped; a marker or the end of the data ends the bits, and
 * to need more is an error: nothing is made up for a file that was cut short.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;
  #buffer = 0; // the last `#count` bits are yet to be read
  #count = 0;
  #padding = 0; // of these, the zeros that stand for bits that are not there

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /** @param length 0 to 16 */
  read(length: number): number {
    if (length === 0) return 0;
    if (this.#count < length) this.#fill();
    this.#drop(length);
    return (this.#buffer >>> this.#count) & ((1 << length) - 1);
  }

  /** A value in JPEG's sign-magnitude code (T.81, F.2.2.1: RECEIVE and EXTEND). */
  readSigned(length: number): number {
    const bits = this.read(length);
    return length > 0 && bits < 1 << (length - 1) ? bits - (1 << length) + 1 : bits;
  }

  readSymbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const next = (this.#buffer >>> (this.#count - 16)) & 0xffff;
    const found = table.lookup[next >>> (16 - LOOKAHEAD)] ?? 0;
    if (found !== 0) {
      this.#drop(found >> 8);
      return found & 0xff;
    }
    for (let length = LOOKAHEAD + 1; length <= 16; length++) {
      const code = next >>> (16 - length);
      if (code <= (table.maxCode[length] ?? -1)) {
        this.#drop(length);
        return table.symbols[(table.offset[length] ?? 0) + code] ?? 0;
      }
    }
    throw invalidImage('The JPEG data is damaged (a code that its Huffman table does not have).');
  }

  /** Drops the rest of a byte and steps over the restart marker, whose number runs from 0 to 7. */
  restart(number: number): void {
    this.#buffer = this.#count = this.#padding = 0;
    // The bits of a whole restart interval were read: what stands here must be the marker.
    let at = this.#position;
    while (this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff) at++;
    if (at + 2 > this.#end || this.#bytes[at] !== 0xff || this.#bytes[at + 1] !== 0xd0 + number) {
      throw invalidImage('The JPEG data is damaged (a restart marker is not where it belongs).');
    }
    this.#position = at + 2;
  }

  #drop(length: number): void {
    this.#count -= length;
    if (this.#count < this.#padding) {
      throw invalidImage('The JPEG is cut short or damaged: its data ends early.');
    }
  }

  #fill(): void {
    while (this.#count <= 24) {
      const byte = this.#position < this.#end ? (this.#bytes[this.#position] ?? 0) : 0xff;
      if (byte !== 0xff) {
        this.#position++;
      } else if (this.#position + 1 < this.#end && this.#bytes[this.#position + 1] === 0) {
        this.#position += 2;
      } else {
        this.#padding += 8;
        this.#buffer <<= 8;
        this.#count += 8;
        continue;
      }
      this.#buffer = (this.#buffer << 8) | byte;
      this.#count += 8;
    }
  }
}
