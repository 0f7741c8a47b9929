import type { Context } from 'hono';
import type { Metrics } from '../metrics/metrics.ts';
import { CONTENT_TYPE } from '../metrics/registry.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** `GET /metrics`: what this isolate has done and holds, for Prometheus. */
export function metrics(c: Context, pipeline: Pipeline, { render }: Metrics): Response {
  return c.body(render(pipeline.usage()), 200, { 'content-type': CONTENT_TYPE });
}
