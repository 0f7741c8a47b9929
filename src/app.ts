import { Hono, type MiddlewareHandler } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import { admitRequests } from './admission/admit-request.ts';
import { OPEN, type Access } from './access/access.ts';
import { requireApiKey } from './access/api-key.ts';
import { crossOrigin } from './access/cross-origin.ts';
import { GlimpseError } from './errors.ts';
import type { Log } from './log.ts';
import { MAX_BODY_BYTES } from './max-body-bytes.ts';
import { countResponses } from './metrics/count-responses.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import { caption } from './routes/caption.ts';
import { chatCompletions } from './routes/chat/chat-completions.ts';
import { classify } from './routes/classify.ts';
import { embeddings } from './routes/embeddings.ts';
import { errorResponse, methodNotAllowedResponse } from './routes/error-response.ts';
import { health } from './routes/health.ts';
import { images } from './routes/images.ts';
import { logRequests } from './routes/log-requests.ts';
import { metrics } from './routes/metrics.ts';
import { model, models } from './routes/models.ts';
import { openapi } from './routes/openapi.ts';
import { query } from './routes/query.ts';
import { ready } from './routes/ready.ts';
import { detokenize, tokenize } from './routes/tokenize.ts';

export interface AppConfig<Bindings> {
  readonly caption_prompt: string;
  readonly max_body_bytes: number;
  readonly access: (bindings: Bindings) => Access;
  readonly metrics: Metrics;
  /** Where a line for each request goes. */
  readonly log: Log;
}

export const DEFAULT_APP_CONFIG: Omit<AppConfig<unknown>, 'metrics'> = {
  caption_prompt: 'Describe the image.',
  max_body_bytes: MAX_BODY_BYTES,
  access: () => OPEN,
  log: () => undefined,
};

/** What needs a key where the deployment has keys. All else is open: pages, their documents, /health. */
const GUARDED = ['/v1/*', '/tokenize', '/detokenize', '/metrics'];

/** @param pipelineFor the isolate's one pipeline, made of the bindings when first asked for. */
export function createApp<Bindings extends object>(
  pipelineFor: (bindings: Bindings) => Pipeline | Promise<Pipeline>,
  settings: Partial<AppConfig<Bindings>> = {},
): Hono<{ Bindings: Bindings }> {
  const config: AppConfig<Bindings> = { ...DEFAULT_APP_CONFIG, metrics: createMetrics(), ...settings };
  const app = new Hono<{ Bindings: Bindings }>();
  app.onError((error, c) => errorResponse(error, c.req.raw.signal));
  app.notFound((c) => errorResponse(new GlimpseError('route_not_found', `There is no ${c.req.path} here.`)));
  app.use(logRequests(config.log));
  app.use(countResponses(config.metrics));
  app.use(secureHeaders(SECURE_HEADERS));
  app.use((c, next) => crossOrigin(config.access(c.env))(c, next)); // before keys: a preflight carries none
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (_, methods) => methodNotAllowedResponse(methods) }));
  const guard: MiddlewareHandler<{ Bindings: Bindings }> = (c, next) =>
    requireApiKey(config.access(c.env))(c, next);
  for (const path of GUARDED) app.use(path, guard);
  app.use(admitRequests(config.max_body_bytes)); // behind keys: who has none waits for nothing

  app.post('/v1/query', async (c) => query(c, await pipelineFor(c.env), config.max_body_bytes));
  app.post('/v1/caption', async (c) => caption(c, await pipelineFor(c.env), config));
  app.post('/v1/chat/completions', async (c) =>
    chatCompletions(c, await pipelineFor(c.env), config.max_body_bytes),
  );
  app.get('/v1/models', async (c) => models(c, await pipelineFor(c.env)));
  app.get('/v1/models/:id', async (c) => model(c, await pipelineFor(c.env)));
  app.post('/v1/embeddings', async (c) => embeddings(c, await pipelineFor(c.env), config.max_body_bytes));
  app.post('/v1/classify', async (c) => classify(c, await pipelineFor(c.env), config.max_body_bytes));
  app.post('/v1/images', async (c) => images(c, await pipelineFor(c.env), config.max_body_bytes));
  app.post('/tokenize', async (c) => tokenize(c, await pipelineFor(c.env), config.max_body_bytes));
  app.post('/detokenize', async (c) => detokenize(c, await pipelineFor(c.env), config.max_body_bytes));
  app.get('/health', async (c) => health(c, await pipelineFor(c.env)));
  app.get('/metrics', async (c) => metrics(c, await pipelineFor(c.env), config.metrics));
  app.get('/ready', async (c) => ready(c, await pipelineFor(c.env)));
  app.route('/', openapi());
  return app;
}

/** For answers that are data: nothing to run, nothing to frame. A route that is a page sets a policy of its own. */
const SECURE_HEADERS: Parameters<typeof secureHeaders>[0] = {
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: 'DENY',
};
