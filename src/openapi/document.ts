import type { ErrorCode } from '../errors.ts';
import { IMAGE_FILE, jsonSchema, schemaComponents, without, type Json } from './components.ts';
import { byStatus } from './error-schema.ts';
import { EXAMPLE_HANDLE } from './example-image.ts';
import type { Answer, Operation, RequestBody } from './operation.ts';
import { OPERATIONS } from './operations.ts';

/** The API as OpenAPI 3.1 tells it, of the schemas that validate. */
export function openApiDocument(): Json {
  const paths = Map.groupBy(OPERATIONS, ({ path }) => path);
  const document = {
    openapi: '3.1.1',
    info: {
      title: 'Glimpse',
      version: '0.1.0',
      summary: 'Answers a prompt about an image from inside an edge isolate.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries(
      Array.from(paths, ([path, operations]) => [
        path,
        Object.fromEntries(operations.map((operation) => [operation.method, operationObject(operation)])),
      ]),
    ),
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'Where the deployment has keys.' },
      },
      schemas: schemaComponents(OPERATIONS),
    },
  };
  // Examples of schemas that name an image name the one that the other examples send.
  return JSON.parse(JSON.stringify(document).replaceAll(`sha256:${'0'.repeat(64)}`, EXAMPLE_HANDLE)) as Json;
}

function operationObject({ method, path, summary, description, guarded, ...operation }: Operation): Json {
  const { path_parameters = {}, request, response } = operation;
  const errors: readonly ErrorCode[] = guarded ? [...operation.errors, 'invalid_api_key'] : operation.errors;
  return {
    operationId: `${method}${path.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(guarded ? { security: [{ apiKey: [] }, {}] } : { security: [] }),
    parameters: [...pathParameters(path_parameters), ...queryParameters(request)],
    ...(request ? { requestBody: requestBody(request) } : {}),
    responses: {
      200: { description: 'It worked.', content: answerContent(response) },
      ...Object.fromEntries(
        Array.from(byStatus(errors), ([status, codes]) => [
          status,
          { description: codes.join(', '), content: { 'application/json': { schema: ref('Error') } } },
        ]),
      ),
    },
  };
}

function pathParameters(examples: Readonly<Record<string, string>>): readonly Json[] {
  return Object.entries(examples).map(([name, example]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' }, example },
  }));
}

/** Where the body is the image itself, everything else stands in the query string. */
function queryParameters(request: RequestBody | undefined): readonly Json[] {
  if (request?.forms !== 'image') return [];
  const others = without(jsonSchema(request.schema).properties ?? {}, 'image');
  return Object.entries(others).map(([name, schema]) => ({
    ...{ name, in: 'query', required: false, schema },
    description: 'Only where the body is the image itself.',
  }));
}

function requestBody({ name, forms, examples }: RequestBody): Json {
  const named = Object.entries(examples).map(([summary, value]) => [
    summary.replace(/\W+/g, '-'),
    { summary, value },
  ]);
  const json = { 'application/json': { schema: ref(name), examples: Object.fromEntries(named) as Json } };
  if (forms === 'json') return { required: true, content: json };
  const image = Object.fromEntries(
    ['image/jpeg', 'image/png', 'application/octet-stream'].map((type) => [type, { schema: IMAGE_FILE }]),
  );
  return {
    required: true,
    content: { ...json, 'multipart/form-data': { schema: ref(`${name}Form`) }, ...image },
  };
}

function answerContent(answer: Answer): Json {
  if ('type' in answer) return { [answer.type]: {} };
  const json = { 'application/json': { schema: ref(answer.name) } };
  const { events } = answer;
  return events === undefined
    ? json
    : { ...json, 'text/event-stream': { schema: { type: 'string', description: events } } };
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
