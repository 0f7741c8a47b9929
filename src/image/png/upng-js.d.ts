declare module 'upng-js' {
  /** What UPNG.decode gives. */
  export interface DecodedPng {
    readonly width: number;
    readonly height: number;
    readonly ctype: number;
    readonly depth: number;
    readonly tabs: {
      readonly PLTE?: ArrayLike<number>;
      /** Alphas of the palette, the hidden grey, or the hidden red, green and blue. */
      readonly tRNS?: ArrayLike<number> | number;
    };
    /** Unfiltered scanlines, each from a byte of its own. */
    readonly data: Uint8Array;
  }
  const UPNG: {
    /** One buffer a frame. [height, width, 4] Throws strings and Errors alike. */
    toRGBA8(png: DecodedPng): readonly ArrayBuffer[];
  };
  export default UPNG;
}
