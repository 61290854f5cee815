/** Names of pictures in archives: which are pictures, how they are sorted, and what pairs a picture and its mask. */

const PICTURE = /\.(png|jpe?g)$/i;

/** Pictures to other programs, but not to this one: they are named in errors, so that none gets lost. */
const FOREIGN_PICTURE = /\.(apng|avif|bmp|dib|gif|heic|ico|jfif|jp2|jpe|pbm|pgm|ppm|pnm|tga|tiff?|webp)$/i;

/** What file managers leave behind. */
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;

/** A PNG or JPEG by its name. */
export function isPictureName(name: string): boolean {
  return PICTURE.test(name) && !HIDDEN.test(name);
}

/** A picture of a kind that training archives do not hold. */
export function isForeignPictureName(name: string): boolean {
  return FOREIGN_PICTURE.test(name) && !HIDDEN.test(name);
}

/** The name without its extension: the same for a picture and its mask. */
export function stemOf(name: string): string {
  return name.slice(0, name.length - (/\.[^./]*$/.exec(name)?.[0].length ?? 0));
}

/** Why a name cannot stand in an archive, or undefined. */
export function badNameReason(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.includes('\\')) return 'has a backslash; folders are separated by "/"';
  if (/^\/|^[a-zA-Z]:/.test(name)) return 'is absolute';
  if (name.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'has an empty part, "." or ".."';
  if (Buffer.byteLength(name) > 0xffff) return 'is too long';
  return undefined;
}

/** Order of code points, as Python sorts; `<` of JavaScript puts surrogate pairs before U+E000. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const [xPaired, yPaired] = [isSurrogate(x), isSurrogate(y)];
    return xPaired === yPaired ? x - y : xPaired ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}
