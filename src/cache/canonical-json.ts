export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

/**
 * One text for one value: names sorted, no spaces, absent and undefined alike.
 * @throws TypeError on NaN and infinities, which JSON would turn into null.
 */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) {
      throw new TypeError(`${inner} has no JSON form`);
    }
    return isObject(inner) ? sorted(inner) : inner;
  });
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
