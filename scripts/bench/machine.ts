import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

export interface Machine {
  readonly date: string;
  readonly command: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
  readonly onnxruntime_web: string;
  readonly wrangler: string;
  /** Load averages over one minute: before and after. */
  readonly load: readonly [before: number, after: number];
}

/** Processes that want to run, averaged over the last minute. */
export function load(): number {
  return Number((os.loadavg()[0] ?? NaN).toFixed(2));
}

export function describeMachine(command: string, loads: Machine['load']): Machine {
  const version = (name: string) =>
    (JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }).version;
  return {
    date: new Date().toISOString(),
    command,
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    os: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    onnxruntime_web: version('onnxruntime-web'),
    wrangler: version('wrangler'),
    load: loads,
  };
}
