/**
 * Makes `packages/assets` from the CC0 MakeHuman head-and-shoulders pack:
 *
 *     node tools/make-assets.mjs PACK_FOLDER
 *
 * Leaves out every image whose tie to a CC0 release is only circumstantial (evidence class C of the pack),
 * and what cannot be worn without it. Geometry and morph targets are copied as they are.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [pack] = process.argv.slice(2);
if (pack === undefined) {
  process.stderr.write('usage: node tools/make-assets.mjs PACK_FOLDER\n');
  process.exit(2);
}
const target = 'packages/assets';
const manifest = JSON.parse(readFileSync(join(pack, 'manifest.json'), 'utf8'));
const copy = (from, to) => writeFileSync(join(target, to), readFileSync(join(pack, from)));
const shipped = (origin) => origin.evidence !== 'C';

for (const [name, texture] of Object.entries(manifest.textures)) {
  if (texture.aoOrigin !== undefined && !shipped(texture.aoOrigin)) delete texture.ao;
  if (shipped(texture.origin)) continue;
  // The shading of a garment may have a better origin than its colours.
  if (texture.aoOrigin !== undefined && shipped(texture.aoOrigin)) {
    delete texture.color;
    delete texture.origin;
    delete texture.meanColor;
  } else delete manifest.textures[name];
}
manifest.skins = manifest.skins.filter(({ origin }) => shipped(origin));
// Hair cards are nothing without the picture that gives them their outline; garments and hats get plain colours.
manifest.proxies = manifest.proxies
  .map((proxy) => ({
    ...proxy,
    textures: proxy.textures.filter((name) => manifest.textures[name] !== undefined),
  }))
  .filter(({ category, textures }) => category !== 'hair' || textures.length > 0);

for (const file of Object.keys(manifest.files)) copy(file, file);
rmSync(join(target, 'textures'), { recursive: true, force: true });
mkdirSync(join(target, 'textures'));
const images = new Set([
  ...Object.values(manifest.textures).flatMap(({ color, alpha, ao }) => [color, alpha, ao]),
  ...manifest.skins.map(({ color }) => color),
  manifest.skinMasks.file,
]);
for (const image of images) {
  if (image !== undefined) copy(image, join('textures', basename(image)));
}
writeFileSync(join(target, 'manifest.json'), `${JSON.stringify(manifest)}\n`);
process.stdout.write(
  `${images.size} images, ${manifest.skins.length} skins, ${manifest.proxies.length} parts\n`,
);
