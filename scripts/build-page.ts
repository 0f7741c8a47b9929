/** Bundles src/page to build/page, whose files the Worker imports as they are (see wrangler.toml). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

const FROM = 'src/page';
const TO = 'build/page';

const { outputFiles } = await build({
  entryPoints: [`${FROM}/main.ts`, `${FROM}/style.css`],
  outdir: TO,
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'], // the first with CSS light-dark()
  external: ['/page/*'],
  logLevel: 'warning',
});
const files = new Map([
  ...outputFiles.map(({ path, contents }) => [relative(TO, path), contents] as const),
  ...['index.html', 'icon.svg', ...filesIn(`${FROM}/examples`).map((name) => join('examples', name))].map(
    (name) => [name, readFileSync(join(FROM, name))] as const,
  ),
]);
mkdirSync(`${TO}/examples`, { recursive: true });
for (const name of filesIn(TO)) if (!files.has(name)) rmSync(join(TO, name));
for (const [name, contents] of files) writeChanged(join(TO, name), contents);

/** A running `wrangler dev` starts anew for every file that is written, and fails where one is missing. */
function writeChanged(path: string, contents: Uint8Array): void {
  if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
}

/** Names of files, from the folder on. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}
