/** As protobuf has it in a tensor's external_data: a key and, behind it, the length of a value. */
const LOCATION = Buffer.from('\n\x08location\x12', 'latin1');

/**
 * The files that a graph says its weights lie in, found without reading the graph as one.
 * @param model an .onnx file
 */
export function externalFiles(model: Buffer): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at = model.indexOf(LOCATION); at >= 0; at = model.indexOf(LOCATION, at + 1)) {
    const start = at + LOCATION.length + 1;
    const length = model[start - 1] ?? 0; // of a name below 128 bytes
    names.add(model.toString('utf8', start, start + length));
  }
  return names;
}
