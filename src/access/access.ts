/** Who may use a deployment, and from where. */
export interface Access {
  /** Whoever has one of these may ask. None: everybody may. */
  readonly api_keys: readonly string[];
  /** Other origins whose pages may read the answers. */
  readonly cors_origins: readonly string[];
  /** A secret in the cache's keys, so that whoever lacks it cannot name an entry. */
  readonly cache_salt?: string;
}

export const OPEN: Access = { api_keys: [], cors_origins: [] };

/** A comma-separated list, as vars and secrets carry it. */
export function parseList(text = ''): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
