/** The body that ships with the package (CC0), for networks that bring none. Node only. */

import { readFileSync } from 'node:fs';
import { type BodyModel, readCompactBody } from './body/index.ts';

let body: BodyModel | undefined;

/** Head, neck and shoulders in the frame of a neutral adult SMPL body. */
export function defaultBody(): BodyModel {
  body ??= readCompactBody(readFileSync(new URL('../models/body.bin', import.meta.url)));
  return body;
}
