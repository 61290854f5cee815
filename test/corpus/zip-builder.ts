/** Writes zip archives member by member, for tests: valid ones, and ones that lie. */

import { crc32, deflateRawSync } from 'node:zlib';
import { ascii, join, le32 } from './pickle-builder.ts';

const le16 = (value: number): number[] => [value & 255, (value >>> 8) & 255];

/** A member; every field but name and data may be falsified. */
export interface Member {
  name: string;
  data: Uint8Array;
  localName?: string;
  localOffset?: number;
  deflate?: boolean;
  method?: number;
  flags?: number;
  /** Declared size when inflated. */
  size?: number;
  crc?: number;
}

export function zipBytes(members: Member[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const member of members) {
    const packed = member.deflate ? new Uint8Array(deflateRawSync(member.data)) : member.data;
    const method = member.method ?? (member.deflate ? 8 : 0);
    const common = [
      ...le16(member.flags ?? 0),
      ...le16(method),
      ...le32(0x00210000),
      ...le32(member.crc ?? crc32(member.data)),
      ...le32(packed.length),
      ...le32(member.size ?? member.data.length),
    ];
    const localName = ascii(member.localName ?? member.name);
    const name = ascii(member.name);
    const local = join(le32(0x04034b50), le16(20), common, le16(localName.length), le16(0), localName, packed);
    directory.push(
      join(
        le32(0x02014b50),
        [...le16(20), ...le16(20)],
        common,
        le16(name.length),
        new Array(12).fill(0),
        le32(member.localOffset ?? offset),
        name,
      ),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = join(...directory);
  const count = le16(members.length);
  const end = join(le32(0x06054b50), [0, 0, 0, 0], count, count, le32(central.length), le32(offset), [0, 0]);
  return join(...locals, central, end);
}
