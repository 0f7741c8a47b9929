import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { GRAPHS, readConfig, type GraphName } from '../../src/onnx/config.ts';
import { DTYPES, graphPattern } from '../../src/onnx/graphs.ts';

/**
 * The files of the graphs that the model in `folder` needs, one of each.
 * @param dtypes `q4` for all graphs or `embed_tokens=fp16` for one; nothing is needed where there is no choice
 * @throws Error that says what there is to choose from
 */
export async function chooseGraphs(folder: string, dtypes: readonly string[]): Promise<readonly string[]> {
  const json: unknown = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const { family } = readConfig(json, folder);
  const files = await readdir(join(folder, 'onnx'));
  const wanted = parseDtypes(dtypes, GRAPHS[family]);
  return GRAPHS[family].map((graph) => {
    const found = files.filter((file) => graphPattern(graph).test(file));
    const dtype = wanted.get(graph) ?? wanted.get('');
    const chosen = dtype === undefined ? found : found.filter((file) => file === graphFileName(graph, dtype));
    const [file] = chosen;
    if (file !== undefined && chosen.length === 1) return file;
    const there = found.length === 0 ? 'none' : found.join(', ');
    throw new Error(
      chosen.length > 1
        ? `Of ${graph} there are ${there}: choose by --dtype.`
        : `${folder}/onnx has no ${graph}${dtype === undefined ? '' : ` of dtype ${dtype}`}. There is: ${there}.`,
    );
  });
}

function graphFileName(graph: GraphName, dtype: string): string {
  const suffix = DTYPES.get(dtype);
  if (suffix !== undefined) return `${graph}${suffix}.onnx`;
  throw new Error(`There is no dtype ${dtype}: choose of ${[...DTYPES.keys()].join(', ')}.`);
}

/** By graph; under '' that of all others. */
function parseDtypes(dtypes: readonly string[], graphs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    dtypes.map((dtype) => {
      const [name = '', value] = dtype.split('=');
      if (value === undefined) return ['', name];
      if (!graphs.includes(name)) throw new Error(`The model has no ${name}: ${graphs.join(', ')}.`);
      return [name, value];
    }),
  );
}
