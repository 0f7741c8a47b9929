import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @throws Error that names the file where it is missing, no JSON or not of the schema */
export async function readJson<Schema extends z.ZodType>(
  folder: string,
  name: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  let text: string;
  try {
    text = await readFile(join(folder, name), 'utf8');
  } catch (cause) {
    throw new Error(`${folder} has no ${name} that can be read. Download it with the model.`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name} in ${folder} is not JSON. Download it again.`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new Error(`${name}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  }
  return parsed.data;
}
