/** Pictures of 8-bit RGB pixels in memory, and drawing rectangles of them into each other. */

/** Rows from the top, three bytes a pixel. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Red, green, blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** A picture of one colour. */
export function blankRaster(width: number, height: number, colour: Colour): Raster {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 3];
  return { width, height, data };
}

/** Copies `source` into `target` with its top left corner at (x, y); what lies outside is left out. */
export function drawRaster(target: Raster, source: Raster, x: number, y: number): void {
  const left = Math.max(0, -x);
  const right = Math.min(source.width, target.width - x);
  if (right <= left) return;
  for (let row = Math.max(0, -y); row < source.height && y + row < target.height; row++) {
    const from = (row * source.width + left) * 3;
    const to = ((y + row) * target.width + x + left) * 3;
    target.data.set(source.data.subarray(from, from + (right - left) * 3), to);
  }
}
