const BYTE = /^<0x([0-9A-F]{2})>$/;

/** The byte that a token stands for in a vocabulary that spells by bytes what it has no token for. */
export function fallbackByte(token: string): number | undefined {
  const [, hex] = BYTE.exec(token) ?? [];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

/** Tokens with every run of bytes put together to text, as a decoder's ByteFallback does. */
export function fuseBytes(tokens: readonly string[]): string[] {
  const fused: string[] = [];
  let run: number[] = [];
  const end = (): void => {
    if (run.length === 0) return;
    fused.push(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(run)));
    run = [];
  };
  for (const token of tokens) {
    const byte = fallbackByte(token);
    if (byte !== undefined) {
      run.push(byte);
      continue;
    }
    end();
    fused.push(token);
  }
  end();
  return fused;
}
