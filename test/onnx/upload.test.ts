import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** What `wrangler deploy` would upload, as a folder. */
async function upload(env: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-upload-'));
  folders.push(folder);
  const wrangler = 'node_modules/wrangler/bin/wrangler.js';
  await promisify(execFile)(
    process.execPath,
    [wrangler, 'deploy', '--dry-run', `--env=${env}`, '--outdir', folder],
    {
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
    },
  );
  return folder;
}

const hasOnnxRuntime = async (folder: string) => ({
  wasm: (await readdir(folder)).some((name) => name.endsWith('ort-wasm-simd-threaded.wasm')),
  script: (await readFile(join(folder, 'index.js'), 'utf8')).includes('InferenceSession'),
});

it('the Worker for ONNX carries ONNX Runtime, and the default one nothing of it', async () => {
  expect(await hasOnnxRuntime(await upload('onnx'))).toEqual({ wasm: true, script: true });
  expect(await hasOnnxRuntime(await upload(''))).toEqual({ wasm: false, script: false });
});
