import type { ModelList } from '../routes/models.ts';
import { authorization } from './key.ts';

/** What the server's model is for: answering questions or, a dual encoder (CLIP, SigLIP), choosing between labels. */
export type ModelKind = 'answers' | 'labels';

/** Where the server does not say (it may want a key first), it is taken for the kind that answers. */
export async function modelKind(): Promise<ModelKind> {
  try {
    const response = await fetch('/v1/models', { headers: authorization() });
    if (!response.ok) return 'answers';
    const { data } = (await response.json()) as ModelList;
    return data.some(({ output_modalities }) => output_modalities.includes('text')) ? 'answers' : 'labels';
  } catch {
    return 'answers'; // out of reach: so is what is asked, and that says so
  }
}

/** Shows what index.html has for this kind, and hides what it has for the other. */
export function showKind(kind: ModelKind): void {
  for (const part of document.querySelectorAll<HTMLElement>('[data-kind]')) {
    part.hidden = part.dataset.kind !== kind;
  }
}
