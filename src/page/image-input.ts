import { byId } from './dom.ts';

/** Hears of every image that is chosen, photographed, dropped or pasted, wherever on the page. */
export function startImageInput(open: (files: readonly File[]) => void): void {
  for (const id of ['file', 'camera']) {
    const input = byId(id, HTMLInputElement);
    for (const opener of document.querySelectorAll<HTMLElement>(`[data-open="${id}"]`)) {
      opener.addEventListener('click', () => input.click());
    }
    input.addEventListener('change', () => {
      open([...(input.files ?? [])]);
      input.value = ''; // so that the same file can be chosen again
    });
  }
  document.addEventListener('paste', ({ clipboardData }) => {
    const files = [...(clipboardData?.files ?? [])];
    if (files.length > 0) open(files);
  });
  listenForDrops(open);
}

function listenForDrops(open: (files: readonly File[]) => void): void {
  const mark = (over: boolean): void => void document.body.classList.toggle('dragging', over);
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) mark(false); // out of the window
  });
  document.addEventListener('drop', (event) => {
    mark(false);
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    open([...event.dataTransfer.files]);
  });
}
