import { byId } from './dom.ts';
import { stored } from './stored.ts';

/** The system's theme until the visitor chooses one; the choice stays with this browser. */
export function startTheme(): void {
  const toggle = byId('theme', HTMLButtonElement);
  const system = matchMedia('(prefers-color-scheme: dark)');
  const choice = stored(() => localStorage, 'glimpse-theme');
  const isDark = (): boolean => (choice.get() ?? (system.matches ? 'dark' : 'light')) === 'dark';

  const show = (): void => {
    document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
    toggle.setAttribute('aria-pressed', String(isDark()));
  };
  toggle.addEventListener('click', () => {
    choice.set(isDark() ? 'light' : 'dark');
    show();
  });
  system.addEventListener('change', show);
  show();
}
