/** Bundles src/page to build/page, whose files the Worker imports as they are (see wrangler.toml). */
import { cpSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const FROM = 'src/page';
const TO = 'build/page';

rmSync(TO, { recursive: true, force: true });
await build({
  entryPoints: [`${FROM}/main.ts`, `${FROM}/style.css`],
  outdir: TO,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'], // the first with CSS light-dark()
  external: ['/page/*'],
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg', 'examples']) {
  cpSync(`${FROM}/${name}`, `${TO}/${name}`, { recursive: true });
}
