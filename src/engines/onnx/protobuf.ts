/**
 * Writing protobuf messages, as much of it as ONNX needs: varints and length-delimited fields.
 *
 * Long byte fields are kept by reference until the whole message is joined: the weights of a network are
 * copied once.
 */

/** Byte fields from here on are referenced, shorter ones copied into the running buffer. */
const KEPT_BY_REFERENCE = 1 << 10;

export interface Message {
  /** Bytes written so far. */
  length(): number;
  /** An integer, an enum or a bool; negative ones take ten bytes. */
  int(field: number, value: number): void;
  bytes(field: number, value: Uint8Array): void;
  text(field: number, value: string): void;
  message(field: number, build: (nested: Message) => void): void;
  /** Takes over all fields of another message. */
  splice(other: Message): void;
  parts(): readonly Uint8Array[];
}

const encoder = new TextEncoder();

/** Starts an empty message. */
export function createMessage(): Message {
  const parts: Uint8Array[] = [];
  let pending: number[] = [];
  let length = 0;

  const varint = (value: number): void => {
    let rest = value;
    while (rest > 127) {
      pending.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
      length++;
    }
    pending.push(rest);
    length++;
  };
  const tag = (field: number, wire: number): void => varint(field * 8 + wire);
  const flush = (): void => {
    if (pending.length > 0) parts.push(Uint8Array.from(pending));
    pending = [];
  };
  const append = (value: Uint8Array): void => {
    if (value.length < KEPT_BY_REFERENCE) {
      for (const byte of value) pending.push(byte);
    } else {
      flush();
      parts.push(value);
    }
    length += value.length;
  };
  const message: Message = {
    length: () => length,
    int: (field, value) => {
      tag(field, 0);
      if (value >= 0) return varint(value);
      let rest = BigInt.asUintN(64, BigInt(value));
      for (; rest > 127n; length++) {
        pending.push(Number(rest & 127n) | 128);
        rest >>= 7n;
      }
      pending.push(Number(rest));
      length++;
    },
    bytes: (field, value) => {
      tag(field, 2);
      varint(value.length);
      append(value);
    },
    text: (field, value) => message.bytes(field, encoder.encode(value)),
    message: (field, build) => {
      const nested = createMessage();
      build(nested);
      tag(field, 2);
      varint(nested.length());
      message.splice(nested);
    },
    splice: (other) => {
      for (const part of other.parts()) append(part);
    },
    parts: () => {
      flush();
      return parts;
    },
  };
  return message;
}

/** All bytes of a message in one array. */
export function joinMessage(message: Message): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(message.length());
  let at = 0;
  for (const part of message.parts()) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
