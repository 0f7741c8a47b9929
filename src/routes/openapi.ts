import { Hono } from 'hono';
import { NONCE, secureHeaders } from 'hono/secure-headers';
import { openApiDocument } from '../openapi/document.ts';
import { renderReference } from '../openapi/reference.ts';

/** `GET /openapi.json`, and `GET /docs`: the same for people. */
export function openapi(): Hono {
  const app = new Hono();
  let document: ReturnType<typeof openApiDocument> | undefined;
  app.get('/openapi.json', (c) => c.json((document ??= openApiDocument())));
  app.get('/docs', secureHeaders({ contentSecurityPolicy: POLICY, xFrameOptions: 'DENY' }), (c) =>
    c.html(renderReference((document ??= openApiDocument()), c.get('secureHeadersNonce') ?? '')),
  );
  return app;
}

/** Its one style, and nothing else. */
const POLICY = {
  defaultSrc: ["'none'"],
  styleSrc: [NONCE],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};
