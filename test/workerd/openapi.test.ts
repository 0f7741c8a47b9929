import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/openapi/document.ts';
import { EXAMPLE_HANDLE, EXAMPLE_IMAGE } from '../../src/openapi/example-image.ts';
import { form, json, result, startWorker, type TestWorker } from './worker.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, { readonly example?: unknown }>>;
}
interface Media {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>;
}
interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly example?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, Media>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const document = openApiDocument() as unknown as Document;
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'document', ...document });

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method} ${path}`,
    path,
    method,
    operation,
  })),
);
const requests = operations.flatMap(({ path, operation }) =>
  Object.entries(operation.requestBody?.content['application/json']?.examples ?? {}).map(
    ([example, { value }]) => ({
      name: `${path}: ${example}`,
      ...{ path, value, operation },
    }),
  ),
);

function expectValid(media: Media | undefined, value: unknown): void {
  const name = media?.schema?.$ref ?? '';
  const validate = ajv.getSchema(`document${name}`);
  if (!validate) throw new Error(`the document has no schema ${name}`);
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
}

let worker: TestWorker;
beforeAll(async () => {
  worker = await startWorker();
});
afterAll(() => worker.close());

it('is what the Worker serves, and valid OpenAPI 3.1', async () => {
  const { body } = await result(worker.fetch('/openapi.json'));
  expect(body).toEqual(document);
  const validator = new Validator();
  const { valid, errors } = await validator.validate(body as Parameters<Validator['validate']>[0]);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

it('tells every route', async () => {
  const { createApp } = await import('../../src/app.ts');
  const { recordingPipeline } = await import('../routes/recording-pipeline.ts');
  const routes = createApp(() => recordingPipeline())
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const told = operations.map(({ name }) => name).filter((name) => name !== 'get /'); // the page is not the app's
  expect([...new Set(routes)].sort()).toEqual(told.sort());
});

describe('every example is answered as the document says', () => {
  it.each(requests)('$name', async ({ path, value, operation }) => {
    expectValid(operation.requestBody?.content['application/json'], value);
    const response = await worker.fetch(path, json(value));
    const content = operation.responses['200']?.content ?? {};
    const text = await response.text();
    expect(response.status, text).toBe(200);
    if (value.stream === true) {
      expect(response.headers.get('content-type')).toBe('text/event-stream');
      expect(content).toHaveProperty(['text/event-stream']);
      expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    } else {
      expectValid(content['application/json'], JSON.parse(text));
    }
  });

  const gets = operations.filter(({ method }) => method === 'get');
  it.each(gets)('$name', async ({ path, operation }) => {
    const place = operation.parameters.reduce(
      (at, { name, example = '' }) => at.replace(`{${name}}`, example),
      path,
    );
    const response = await worker.fetch(place);
    expect(response.status).toBe(200);
    const [[type, media] = ['', {}]] = Object.entries(operation.responses['200']?.content ?? {});
    expect(response.headers.get('content-type')).toMatch(new RegExp(`^${type}`));
    if (media.schema) expectValid(media, await response.json());
  });

  it('the same as a form and as the image itself', async () => {
    const bytes = Buffer.from(EXAMPLE_IMAGE.split(',')[1] ?? '', 'base64');
    for (const { path, operation } of operations) {
      const content = operation.requestBody?.content ?? {};
      if (!('multipart/form-data' in content)) continue;
      const prompt = path === '/v1/query' ? { prompt: 'What is it?' } : {};
      const raw = { method: 'POST', headers: { 'content-type': 'image/png' }, body: bytes };
      const asForm = await worker.fetch(path, form({ image: new Blob([bytes]), ...prompt }));
      const asBody = await worker.fetch(`${path}?${new URLSearchParams(prompt).toString()}`, raw);
      for (const response of [asForm, asBody]) {
        expect(response.status, path).toBe(200);
        expectValid(operation.responses['200']?.content['application/json'], await response.json());
      }
    }
  });
});

describe("the chat request's fields by their examples", () => {
  const base = requests.find(({ path }) => path === '/v1/chat/completions')?.value;
  const needs: Readonly<Record<string, object>> = {
    top_logprobs: { logprobs: true },
    stream_options: { stream: true },
    length_penalty: { num_beams: 2 },
  };
  const properties = Object.entries(document.components.schemas.ChatRequest?.properties ?? {});
  const fields = properties.flatMap(([field, { example }]) =>
    example === undefined ? [] : [{ field, example }],
  );
  it.each(fields)('$field', async ({ field, example }) => {
    await worker.fetch('/v1/images', json({ image: EXAMPLE_IMAGE }));
    const body = { ...base, ...needs[field], [field]: example };
    const response = await worker.fetch('/v1/chat/completions', json(body));
    expect(response.status, await response.text()).toBe(200);
  });
});

it('names the image of its examples rightly', async () => {
  expect((await result(worker.fetch('/v1/images', json({ image: EXAMPLE_IMAGE })))).body).toMatchObject({
    id: EXAMPLE_HANDLE,
  });
});

it('an error is what the document says', async () => {
  const { status, body } = await result(worker.fetch('/v1/caption', json({})));
  expectValid(
    document.paths['/v1/caption']?.post?.responses[String(status)]?.content['application/json'],
    body,
  );
});

it('/docs tells every route and loads nothing', async () => {
  const response = await worker.fetch('/docs');
  const page = await response.text();
  for (const { path, method } of operations) expect(page).toContain(`${method.toUpperCase()} ${path}`);
  expect(page).toMatch(/the query string has the rest:\s+<code>prompt<\/code>, <code>stream<\/code>/);
  expect(page).not.toContain('`');
  expect(page).not.toMatch(/<(script|link|img|iframe)|\bstyle="|https?:\/\/(?!json-schema)|url\(/);
  const nonce = /<style nonce="([^"]+)"/.exec(page)?.[1] ?? '';
  expect(response.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
});
