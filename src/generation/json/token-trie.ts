/** A vocabulary by the bytes of its tokens. */
export interface TokenTrie {
  readonly children: ReadonlyMap<number, TokenTrie>;
  /** Tokens of exactly the bytes that lead here. */
  readonly ids: readonly number[];
}

/** @param bytes of a token's text; tokens without any are left out */
export function createTokenTrie(
  vocab_size: number,
  bytes: (id: number) => Uint8Array | undefined,
): TokenTrie {
  interface Node {
    readonly children: Map<number, Node>;
    readonly ids: number[];
  }
  const root: Node = { children: new Map(), ids: [] };
  for (let id = 0; id < vocab_size; id++) {
    let node = root;
    for (const byte of bytes(id) ?? []) {
      const child = node.children.get(byte) ?? { children: new Map(), ids: [] };
      node.children.set(byte, child);
      node = child;
    }
    if (node !== root) node.ids.push(id);
  }
  return root;
}
