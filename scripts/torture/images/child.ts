/** The process in which files are tried, so that one that hangs or kills it is noticed. See pool.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tryOut, type Trial } from './trial.ts';

const residentBytes = (field: 'VmHWM' | 'VmRSS'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

process.on('message', (trial: Trial) => {
  let idle = 0;
  const begin = (): void => {
    if (!('specimen' in trial)) return;
    globalThis.gc?.();
    idle = residentBytes('VmRSS');
    writeFileSync('/proc/self/clear_refs', '5'); // sets VmHWM back to VmRSS
  };
  void tryOut(trial, begin).then((outcome) => {
    const peak_mb = idle === 0 ? null : (residentBytes('VmHWM') - idle) / 2 ** 20;
    process.send?.({ ...outcome, peak_mb });
  });
});
