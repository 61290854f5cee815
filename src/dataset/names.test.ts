import fc from 'fast-check';
import { expect, test } from 'vitest';
import { badNameReason, byCodePoint, isForeignPictureName, isPictureName, stemOf } from './names.ts';

test('names sort by code point, as bytes of UTF-8 do', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(['\u{1f600}', '\uffee'].sort(byCodePoint)).toEqual(['\uffee', '\u{1f600}']);
});

test('pictures, others, and what file managers leave behind', () => {
  expect(['a.png', 'b/c.JPG', 'd.jpeg'].every(isPictureName)).toBe(true);
  expect(['a.txt', 'png', '.a.png', '__MACOSX/a.png', 'x/._a.png'].some(isPictureName)).toBe(false);
  expect(['a.webp', 'b.TIFF'].every(isForeignPictureName)).toBe(true);
  expect(['dataset.json', 'a.png'].some(isForeignPictureName)).toBe(false);
});

test('stems keep folders and inner dots', () => {
  expect(['a.b/c.d.png', 'a.b/c', 'x.jpg'].map(stemOf)).toEqual(['a.b/c.d', 'a.b/c', 'x']);
});

test('names that leave an archive', () => {
  expect(badNameReason('a/b.png')).toBeUndefined();
  for (const name of ['', '/a', 'C:/a', 'a//b', 'a/../b', './a', 'a\\b', 'x'.repeat(70_000)])
    expect(badNameReason(name)).toBeTypeOf('string');
});
