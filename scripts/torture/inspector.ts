/** What Chrome's DevTools protocol tells of an isolate's memory, in bytes. */
interface HeapUsage {
  /** Objects on V8's heap. */
  readonly usedSize: number;
  /** Array buffers outside of it. WebAssembly's memory is not in it. */
  readonly backingStorageSize: number;
}

export interface Inspector {
  /** Objects and array buffers of the isolate, uncollected garbage among them. It answers between two turns of the isolate. */
  heapBytes(): Promise<number>;
  close(): void;
}

/** @param port where workerd's inspector listens, on this machine */
export async function connectInspector(port: number): Promise<Inspector> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly {
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  const waiting = new Map<number, (usage: HeapUsage) => void>();
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id: number; result: HeapUsage };
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error('the inspector does not answer'));
  });
  let asked = 0;
  return {
    async heapBytes() {
      const { promise, resolve } = Promise.withResolvers<HeapUsage>();
      waiting.set(++asked, resolve);
      socket.send(JSON.stringify({ id: asked, method: 'Runtime.getHeapUsage' }));
      const { usedSize, backingStorageSize } = await promise;
      return usedSize + backingStorageSize;
    },
    close: () => socket.close(),
  };
}
