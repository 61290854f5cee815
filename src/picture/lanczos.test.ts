import { expect, test } from 'vitest';
import { type BytePicture, resizeLanczos } from './lanczos.ts';

const COLOUR: BytePicture = {
  width: 13,
  height: 9,
  channels: 3,
  data: Uint8Array.from({ length: 13 * 9 * 3 }, (_, i) => (i * 37 + ((i * i) % 251)) % 256),
};
const MASK: BytePicture = {
  width: 40,
  height: 40,
  channels: 1,
  data: Uint8Array.from({ length: 1600 }, (_, i) => ((i * i) % 509 > 254 ? 255 : 0)),
};

// Bytes that Pillow 12.3.0 gives for `Image.resize((w, h), Image.LANCZOS)`.
test.each([
  [
    COLOUR,
    6,
    5,
    'Tk5tXX5lYFyZkFlW1FBxRLSehnR/c1J/nHSHZGc/UmYpNntCr4aCnWuVcHuLb6t0gn9hjF/Wg4VJcXCAUoORhZegdklsfJFonZwfn7BSV2auqoVjmXVaUbqC',
  ],
  [
    COLOUR,
    17,
    11,
    'ABs7YIavS3nQBkNGodILebGVAG/MNVCM7yR65xBxvg1vuRR3ySWO9D6pZl36Hp2uaMklkBqgO35YOmdXayhtLq4ck4+4hxTiNx1/UKJoNZFWl3lL/39K9YNZ/5V2a6+ZCuSmUf+fsilIj30QelZygRPXbo1MYkpBoS6AwIWSYbdiE54/PWYpf0Miaj8cc0cNMVImF3Z1PJCqZEgo1rCCjYDCEhqutoulhyoGnm9TyODcbmVyjxFEfDIuMFsPCzsMAjlaFzovOFIOR2opaZmbpL3ifHWwHz9bW6uv6Dt70FORQKvTKVKkrhlnuZA/gPQBi7oReq7/aKmeZK8dZrQ9evNGkGBk5w3G3oTFUcdBo0ydemt8RKhQwk7Xi9KiFudeSZMh43Qew1vYoUn/nUbsmkv4mWoAt2gn/61x/LOrSCrFjCtWWbtwIM+bmFtHHfDDSPC8uXtSilkvTDkfBgC8a0f//OX//cLKg2BhTDYXaVVvUCy3maS4UJx7BVBnb3eNmVtpuYKldJnaFU6IhBEjgVlEfcNlvOVRsPutQY5IAD4HL4lEZcpp1aDSckO/AGmJaM+y9yKBuHGtSN+neE5KxQCSxJ5hXvYJGaABcp4AhK8JlMAkn9o1re9ZrnZzVz3hIYzbdsFA2om7hJCcebMS/X4dlyh+N5SsLd2IPqNs8ow05X8u0XYs5YA385NRPN5tA227XQChjUsd7L50kV41aToe07OWh1AoB6uNUfDh4Kyd',
  ],
  [
    COLOUR,
    13,
    4,
    'ZCFkW6JnQBmPcLIpc12qXz6fhIJmX1BPvUVLrUtYw2NjDpKURM9wf39TxZilazCrepyHsBlHmLusYmWQdm1WWJgZdHkCUW+sTV9RZn58rb5ufEVKtIp/R2OdunSZAZ51i3KUdKmfgbqdeWJLjyt4aV62r72mtLFIdoYVf5YtscBkdY2kJDXLdKNT7WOcYItYtoRXiilhPvKCYrVT',
  ],
  [MASK, 8, 8, 'cX52mItmhH5ko6CVoXBwiFOTgW5ne3NujaCYXolvfqaOhIl2bXlhm25ua3d9en2YmmaObYSdoZFvd2JzZq5pew=='],
])('equals Pillow to the bit: case %#', (picture, width, height, bytes) => {
  const resized = resizeLanczos(picture as BytePicture, width as number, height as number);
  expect(Buffer.from(resized.data).toString('base64')).toBe(bytes);
});

test('the same size is the same picture', () => {
  expect(resizeLanczos(COLOUR, 13, 9)).toBe(COLOUR);
});
