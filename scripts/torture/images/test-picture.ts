export type Color = readonly [red: number, green: number, blue: number];

/** Colours of the four quarters: top left, top right, bottom left, bottom right. */
export type Quadrants = readonly [Color, Color, Color, Color];

/** The picture of the corpus: four quarters of one colour each, so that every turn of it is another picture. */
export const WIDTH = 96;
export const HEIGHT = 64;

export const COLORS: Quadrants = [
  [200, 40, 40],
  [40, 160, 60],
  [50, 70, 200],
  [230, 220, 90],
];
export const WHITE: Color = [255, 255, 255];

/** Which quarter a pixel lies in. */
export const quadrantAt = (x: number, y: number, width = WIDTH, height = HEIGHT): 0 | 1 | 2 | 3 =>
  x < width / 2 ? (y < height / 2 ? 0 : 2) : y < height / 2 ? 1 : 3;

export const grey = (level: number): Color => [level, level, level];

/** JFIF's colour transform, and back again by rounding. */
export const toYcc = ([red, green, blue]: Color): Color => [
  Math.round(0.299 * red + 0.587 * green + 0.114 * blue),
  Math.round(128 - 0.168736 * red - 0.331264 * green + 0.5 * blue),
  Math.round(128 + 0.5 * red - 0.418688 * green - 0.081312 * blue),
];

export const overWhite = (color: Color, alpha: number): Color => {
  const [red, green, blue] = color.map((value) => Math.round((value * alpha + 255 * (255 - alpha)) / 255));
  return [red ?? 0, green ?? 0, blue ?? 0];
};

/** How an EXIF orientation moves the quarters: upright from stored. */
export function upright([a, b, c, d]: Quadrants, orientation: number): Quadrants {
  const turned: Record<number, Quadrants> = {
    2: [b, a, d, c],
    3: [d, c, b, a],
    4: [c, d, a, b],
    5: [a, c, b, d],
    6: [c, a, d, b],
    7: [d, b, c, a],
    8: [b, d, a, c],
  };
  return turned[orientation] ?? [a, b, c, d];
}
