import { createConversation } from './conversation.ts';
import { byId } from './dom.ts';
import { examples } from './examples.ts';
import { startImageInput } from './image-input.ts';
import { NEW_KEY } from './key.ts';
import { modelKind, showKind } from './model-kind.ts';
import { notice } from './notices.ts';
import { openPhoto } from './photo.ts';
import { showPhoto } from './photo-view.ts';
import { startTheme } from './theme.ts';
import { tooLarge } from './too-large.ts';

const start = byId('start', HTMLElement);
const talk = byId('talk', HTMLElement);
const conversation = createConversation();

function open(file: File, suggestions?: readonly string[]): void {
  const photo = openPhoto(file, suggestions);
  start.hidden = true;
  talk.hidden = false;
  showPhoto(photo);
  conversation.open(photo);
  scrollTo({ top: 0 });
  // Where there is a keyboard at hand the next thing is to type; a touch screen's would hide the photo.
  const next = matchMedia('(pointer: coarse)').matches ? 'photo' : 'question';
  byId(next, HTMLElement).focus({ preventScroll: true });
}

function openFirst(files: readonly File[]): void {
  const [file] = files;
  if (!file) return;
  const problem = tooLarge(file);
  notice(problem || (files.length > 1 ? `One photo at a time: this is ${file.name}.` : ''));
  if (problem === '') open(file);
}

function openStart(): void {
  conversation.stop();
  notice('');
  talk.hidden = true;
  start.hidden = false;
  start.querySelector('button')?.focus();
}

async function learnKind(): Promise<void> {
  const kind = await modelKind();
  showKind(kind);
  conversation.become(kind);
}

startTheme();
void learnKind();
document.addEventListener(NEW_KEY, () => void learnKind()); // without it the server may have told nothing
startImageInput(openFirst);
byId('back', HTMLButtonElement).addEventListener('click', openStart);
byId('examples', HTMLUListElement).append(
  ...examples((file, suggestions) => {
    notice('');
    open(file, suggestions);
  }),
);
