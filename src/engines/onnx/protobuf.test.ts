import { expect, test } from 'vitest';
import { createMessage, joinMessage } from './protobuf.ts';

test('fields are written as the format says', () => {
  const message = createMessage();
  message.int(1, 150);
  message.text(2, 'testing');
  message.message(3, (nested) => nested.int(1, 150));
  message.int(16, -1);
  expect([...joinMessage(message)]).toEqual([
    ...[0x08, 0x96, 0x01],
    ...[0x12, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67],
    ...[0x1a, 3, 0x08, 0x96, 0x01],
    ...[0x80, 0x01, ...new Array(9).fill(0xff), 0x01],
  ]);
});

test('integers beyond 32 bits', () => {
  const message = createMessage();
  message.int(1, 2 ** 40);
  message.int(1, Number.MIN_SAFE_INTEGER);
  expect([...joinMessage(message)]).toEqual([
    ...[0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20],
    ...[0x08, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0xf0, 0xff, 0x01],
  ]);
});

test('long bytes are kept by reference and counted', () => {
  const data = new Uint8Array(5000).fill(7);
  const message = createMessage();
  message.message(1, (nested) => nested.bytes(2, data));
  expect(message.parts()).toContain(data);
  expect(joinMessage(message).length).toBe(message.length());
});
