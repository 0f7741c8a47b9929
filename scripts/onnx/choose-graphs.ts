import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GRAPHS, readConfig, type GraphName } from '../../src/onnx/config.ts';
import { DTYPES } from '../../src/onnx/graphs.ts';
import { readJson } from '../import/read-json.ts';

/**
 * The files of the graphs that the model in `folder` needs, one of each.
 * @param dtypes `q4` for all graphs of which there are several files, or `embed_tokens=fp16` for one
 * @throws Error that says what there is to choose from
 */
export async function chooseGraphs(folder: string, dtypes: readonly string[]): Promise<readonly string[]> {
  const json = await readJson(folder, 'config.json', z.looseObject({}));
  const { family } = readConfig(json, folder);
  const files = await readdir(join(folder, 'onnx')).catch((cause: unknown) => {
    throw new Error(`${folder} has no folder onnx/ with the model's graphs: download it too.`, { cause });
  });
  const wanted = parseDtypes(dtypes, GRAPHS[family]);
  const chosen = GRAPHS[family].map((graph) => chooseFile(graph, files, wanted));
  const dtype = wanted.get(ALL);
  if (dtype === undefined || GRAPHS[family].some((graph, i) => chosen[i] === fileName(graph, dtype))) {
    return chosen;
  }
  throw new Error(`There is no graph of dtype ${dtype}, but ${chosen.join(', ')}: leave out --dtype.`);
}

/** The key of the dtype of all graphs that have none of their own. */
const ALL = '';

/** Where a graph is there in one dtype there is nothing to choose, unless by its own name. */
function chooseFile(graph: GraphName, files: readonly string[], wanted: ReadonlyMap<string, string>): string {
  const there = [...DTYPES.keys()].filter((dtype) => files.includes(fileName(graph, dtype)));
  const [first, ...others] = there;
  if (first === undefined) throw new Error(`There is no ${graph}.onnx in onnx/: download it too.`);
  const dtype = wanted.get(graph) ?? (others.length === 0 ? first : wanted.get(ALL));
  if (dtype !== undefined && there.includes(dtype)) return fileName(graph, dtype);
  const last = others.at(-1) ?? first;
  throw new Error(
    `${graph} is there in ${there.join(', ')}${dtype === undefined ? '' : `, not in ${dtype}`}: ` +
      `choose by --dtype ${last}, or for this graph alone by --dtype ${graph}=${last}.`,
  );
}

function fileName(graph: GraphName, dtype: string): string {
  return `${graph}${DTYPES.get(dtype) ?? ''}.onnx`;
}

/** By graph; under ALL that of all others. */
function parseDtypes(dtypes: readonly string[], graphs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    dtypes.map((given) => {
      const [name = '', value] = given.split('=');
      const [graph, dtype] = value === undefined ? [ALL, name] : [name, value];
      if (graph !== ALL && !graphs.includes(graph)) {
        throw new Error(`The model has no ${graph}: ${graphs.join(', ')}.`);
      }
      if (!DTYPES.has(dtype)) {
        throw new Error(`There is no dtype ${dtype}: choose of ${[...DTYPES.keys()].join(', ')}.`);
      }
      return [graph, dtype];
    }),
  );
}
