import { byId } from './dom.ts';
import { stored } from './stored.ts';

const key = stored(() => sessionStorage, 'glimpse-api-key');

/** The document's event when the visitor has given a key. */
export const NEW_KEY = 'glimpse-key';

/** The header that shows the key, once there is one. */
export function authorization(): Readonly<Record<string, string>> {
  const token = key.get();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/**
 * Asks for a key, which the next `authorization` shows.
 * @returns whether the visitor gave one
 */
export async function askForKey(): Promise<boolean> {
  const dialog = byId('key', HTMLDialogElement);
  const input = byId('key-input', HTMLInputElement);
  byId('key-why', HTMLParagraphElement).textContent =
    key.get() === undefined
      ? 'Whoever runs it can give you one.'
      : 'It does not know the key that was given.';
  input.value = '';
  dialog.showModal();
  const given = await answer(dialog);
  if (given) key.set(input.value.trim());
  input.value = '';
  if (given) document.dispatchEvent(new Event(NEW_KEY));
  return given;
}

function answer(dialog: HTMLDialogElement): Promise<boolean> {
  return new Promise((settle) => {
    let given = false;
    byId('key-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      given = true;
      dialog.close();
    };
    byId('key-cancel', HTMLButtonElement).onclick = () => dialog.close();
    dialog.onclose = () => settle(given);
  });
}
