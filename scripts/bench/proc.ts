/** Processes as Linux shows them. */
import { readdirSync, readFileSync } from 'node:fs';

/** @param field VmRSS: resident now; VmHWM: at most so far */
export function residentBytes(pid: number | 'self', field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

const MS_PER_TICK = 10; // USER_HZ is 100 on every Linux that Node runs on

export interface Process {
  readonly name: string;
  readonly parent: number;
  /** User and system time in milliseconds, in ticks of 10. */
  readonly cpuMs: number;
}

/**
 * A process by /proc/<pid>/stat, or undefined where it has ended: see proc_pid_stat(5). The name may hold
 * spaces, so fields are counted from behind it.
 */
export function stat(pid: number | string): Process | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  const fields = text.slice(close + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return {
    name: text.slice(open + 1, close),
    parent: Number(fields[1]),
    cpuMs: (user + system) * MS_PER_TICK,
  };
}

/** The same of a process's first thread alone: in workerd, the one that runs isolates. */
export function mainThreadStat(pid: number): Process | undefined {
  return stat(`${pid}/task/${pid}`);
}

/** Processes that `root` started, and those that they started. */
export function descendants(root: number): readonly number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const children = Map.groupBy(pids, (pid) => stat(pid)?.parent);
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root);
}
