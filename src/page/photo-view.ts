import { byId, element } from './dom.ts';
import type { Photo } from './photo.ts';

/** Shows the photo, its name and its size. */
export function showPhoto({ file, url }: Photo): void {
  const name = byId('photo-name', HTMLSpanElement);
  const frame = byId('photo-frame', HTMLDivElement);
  const picture = element('img');
  picture.alt = `Your photo, ${file.name}`;
  picture.src = url;
  picture.addEventListener('load', () => {
    name.textContent = `${file.name}, ${picture.naturalWidth} × ${picture.naturalHeight}`;
  });
  picture.addEventListener('error', () => {
    frame.replaceChildren(
      element('p', 'no-preview', 'This browser cannot show the file. It may be damaged, or no photo at all.'),
    );
  });
  name.textContent = file.name;
  frame.replaceChildren(picture);
}
