import astronaut from '../build/page/examples/astronaut.jpg';
import chelsea from '../build/page/examples/chelsea.jpg';
import rocket from '../build/page/examples/rocket.jpg';
import icon from '../build/page/icon.svg';
import html from '../build/page/index.html';
import script from '../build/page/main.js';
import style from '../build/page/style.css';
import type { PageFile } from './routes/page.ts';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** The page by path, as scripts/build-page.ts built it. Wrangler brings the files in, so only in a Worker. */
export const PAGE_FILES: readonly PageFile[] = [
  { path: '/', type: HTML, body: html },
  { path: '/page/main.js', type: SCRIPT, body: script },
  { path: '/page/style.css', type: STYLE, body: style },
  { path: '/page/icon.svg', type: 'image/svg+xml', body: icon },
  { path: '/page/examples/astronaut.jpg', type: 'image/jpeg', body: astronaut },
  { path: '/page/examples/chelsea.jpg', type: 'image/jpeg', body: chelsea },
  { path: '/page/examples/rocket.jpg', type: 'image/jpeg', body: rocket },
];
