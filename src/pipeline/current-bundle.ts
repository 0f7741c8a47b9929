import { lazy } from '../lazy.ts';
import type { LoadedBundle } from './loaded-bundle.ts';

/** The bundle in use: opened when first asked for, and anew where another has taken its place. */
export interface CurrentBundle {
  /** Undefined before the first `open` and while it lasts. */
  readonly opened: LoadedBundle | undefined;
  open(): Promise<LoadedBundle>;
  /** What `work` gives; done over where it failed since the bundle in use has been replaced at its source. */
  upToDate<T>(work: () => Promise<T>): Promise<T>;
}

/** @param onReplaced lets go of what was made with the bundle that is no more */
export function createCurrentBundle(
  load: () => Promise<LoadedBundle>,
  onReplaced: () => void,
): CurrentBundle {
  let loading = lazy(load);
  let opened: LoadedBundle | undefined;

  function forget(bundle: LoadedBundle): void {
    if (opened !== bundle) return; // another request has done it
    opened = undefined;
    loading = lazy(load);
    onReplaced();
  }

  return {
    get opened() {
      return opened;
    },
    open: async () => (opened = await loading.get()),
    async upToDate(work) {
      try {
        return await work();
      } catch (error) {
        const failed = opened;
        if (failed === undefined || !(await failed.isReplaced(error))) throw error;
        forget(failed);
        return work();
      }
    },
  };
}
