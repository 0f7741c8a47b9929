import { html, raw } from 'hono/html';
import type { Json } from './components.ts';
import { REFERENCE_STYLE } from './reference-style.ts';

type Html = ReturnType<typeof html>;

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly summary: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}

interface DocumentOperation {
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query' }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content: Readonly<Record<string, Media>> }>
  >;
}

interface Media {
  readonly schema?: Json;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
}

/** An OpenAPI document as a page: no script, and nothing from anywhere else. */
export function renderReference(document: Json, nonce: string): Html {
  const { info, paths, components } = document as unknown as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <style nonce="${nonce}">
          ${raw(REFERENCE_STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${info.title} API <small>${info.version}</small></h1>
          <p>${info.summary} <a href="/openapi.json">openapi.json</a></p>
        </header>
        <nav aria-label="Routes">
          <ul>
            ${operations.map(
              ({ path, method, operation }) =>
                html`<li>
                  <a href="#${method}${path}"><code>${method.toUpperCase()} ${path}</code></a>
                  ${operation.summary}
                </li>`,
            )}
          </ul>
        </nav>
        <main>
          ${operations.map(renderOperation)}
          <h2>Schemas</h2>
          ${Object.entries(components.schemas).map(
            ([name, schema]) =>
              html`<details id="schema-${name}">
                <summary><code>${name}</code></summary>
                ${json(schema)}
              </details>`,
          )}
        </main>
      </body>
    </html>`;
}

function renderOperation({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: DocumentOperation;
}): Html {
  const { summary, description = '', security, parameters, requestBody, responses } = operation;
  const query = parameters.filter((parameter) => parameter.in === 'query');
  return html`<section id="${method}${path}">
    <h2><code>${method.toUpperCase()} ${path}</code></h2>
    <p>
      ${summary}.
      ${prose(description)}${security.length > 0 ? ' Needs a key where the deployment has keys.' : ''}
    </p>
    ${
      requestBody
        ? html`<h3>Request</h3>
            ${renderContent(requestBody.content)}`
        : ''
    }
    ${
      query.length > 0
        ? html`<p>
            Where the body is the image itself, the query string has the rest:
            ${query.map(({ name }, i) => html`${i > 0 ? ', ' : ''}<code>${name}</code>`)}.
          </p>`
        : ''
    }
    <h3>Answers</h3>
    <dl>
      ${Object.entries(responses).map(
        ([status, { description, content }]) =>
          html`<dt>${status} ${description}</dt>
            <dd>${status === '200' ? renderContent(content) : ''}</dd>`,
      )}
    </dl>
  </section>`;
}

function renderContent(content: Readonly<Record<string, Media>>): Html {
  return html`<ul>
    ${Object.entries(content).map(
      ([type, { schema, examples = {} }]) =>
        html`<li>
          <code>${type}</code> ${renderSchema(schema)}
          ${Object.values(examples).map(
            ({ summary, value }) =>
              html`<details>
                <summary>${summary}</summary>
                ${json(value)}
              </details>`,
          )}
        </li>`,
    )}
  </ul>`;
}

function renderSchema(schema: Json = {}): Html {
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined;
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  return prose(typeof schema.description === 'string' ? schema.description : '');
}

/** What stands between backticks is code. */
function prose(text: string): Html {
  return html`${text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

function json(value: unknown): Html {
  return html`<pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>`;
}
