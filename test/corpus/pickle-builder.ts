/**
 * Writes pickles opcode by opcode, for tests: valid ones, and ones no honest program would write.
 *
 * A piece is the bytes that leave one value on the stack.
 */

export type Piece = Uint8Array;

const encoder = new TextEncoder();

export function join(...pieces: (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let next = 0;
  for (const piece of pieces) {
    out.set(piece, next);
    next += piece.length;
  }
  return out;
}

export const ascii = (text: string): Uint8Array => encoder.encode(text);

export function le32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, (value >>> 24) & 255];
}

export function le64(value: number): number[] {
  return [...le32(value >>> 0), ...le32(Math.floor(value / 2 ** 32))];
}

/** A whole pickle: header, one value, end. */
export const pickle = (value: Piece, protocol = 4): Uint8Array => join([0x80, protocol], value, [0x2e]);

export const none: Piece = Uint8Array.of(0x4e);
export const bool = (value: boolean): Piece => Uint8Array.of(value ? 0x88 : 0x89);
export const emptyTuple: Piece = Uint8Array.of(0x29);

export function int(value: number): Piece {
  return value >= 0 && value < 256 ? Uint8Array.of(0x4b, value) : join([0x4a], le32(value));
}

export function float(value: number): Piece {
  const out = new Uint8Array(9);
  out[0] = 0x47;
  new DataView(out.buffer).setFloat64(1, value, false);
  return out;
}

export function text(value: string): Piece {
  const bytes = encoder.encode(value);
  return join([0x58], le32(bytes.length), bytes);
}

export const bytes = (value: Uint8Array): Piece => join([0x42], le32(value.length), value);

/** A Python 2 byte string. */
export const legacyBytes = (value: Uint8Array): Piece => join([0x54], le32(value.length), value);

export const tuple = (...items: Piece[]): Piece => join([0x28], ...items, [0x74]);
export const list = (...items: Piece[]): Piece => join([0x5d, 0x28], ...items, [0x65]);

export function dict(entries: Record<string, Piece>): Piece {
  const pairs = Object.entries(entries).map(([key, value]) => join(text(key), value));
  return join([0x7d, 0x28], ...pairs, [0x75]);
}

export const global = (module: string, name: string): Piece => ascii(`c${module}\n${name}\n`);

export const call = (callee: Piece, ...args: Piece[]): Piece => join(callee, tuple(...args), [0x52]);
export const callNamed = (module: string, name: string, ...args: Piece[]): Piece =>
  call(global(module, name), ...args);
export const newObject = (callee: Piece, ...args: Piece[]): Piece => join(callee, tuple(...args), [0x81]);
export const build = (object: Piece, state: Piece): Piece => join(object, state, [0x62]);
export const persistent = (id: Piece): Piece => join(id, [0x51]);

/** Stores the value under a memo index. */
export const put = (value: Piece, index: number): Piece => join(value, [0x72], le32(index));
export const get = (index: number): Piece => join([0x6a], le32(index));

/** An ordered mapping, as PyTorch writes its tables. */
export function ordered(entries: Record<string, Piece>): Piece {
  const pairs = Object.entries(entries).map(([key, value]) => join(text(key), value));
  return join(callNamed('collections', 'OrderedDict'), [0x28], ...pairs, [0x75]);
}

/** Fields of a storage stream that a test may falsify. */
export interface StorageFields {
  type?: string;
  declared?: number;
  stored?: number;
  data: Uint8Array;
  magic?: Piece;
}

const MAGIC: Piece = join([0x8a, 10], [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);

/** The nested file of a tensor. */
export function storageStream({ type = 'FloatStorage', declared, stored, data, magic = MAGIC }: StorageFields): Uint8Array {
  const count = stored ?? data.length / 4;
  const id = tuple(text('storage'), global('torch', type), text('7'), text('cpu'), int(declared ?? count), none);
  const facts = dict({ protocol_version: join([0x4d, 0xe9, 0x03]), little_endian: bool(true), type_sizes: dict({}) });
  return join(
    pickle(magic, 2),
    pickle(join([0x4d, 0xe9, 0x03]), 2),
    pickle(facts, 2),
    pickle(persistent(id), 2),
    pickle(list(text('7')), 2),
    le64(count),
    data,
  );
}

export const storage = (fields: StorageFields): Piece =>
  callNamed('torch.storage', '_load_from_bytes', bytes(storageStream(fields)));

/** A tensor over a storage piece. */
export function view(over: Piece, offset: number, shape: number[], strides: number[]): Piece {
  const numbers = (values: number[]) => tuple(...values.map(int));
  return callNamed(
    'torch._utils',
    '_rebuild_tensor_v2',
    over,
    int(offset),
    numbers(shape),
    numbers(strides),
    bool(false),
    callNamed('collections', 'OrderedDict'),
  );
}

/** A contiguous float32 tensor. */
export function tensor(shape: number[], values: readonly number[] | Float32Array): Piece {
  const floats = Float32Array.from(values);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return view(storage({ data: new Uint8Array(floats.buffer) }), 0, shape, strides);
}

export const parameter = (value: Piece): Piece =>
  callNamed('torch._utils', '_rebuild_parameter', value, bool(false), callNamed('collections', 'OrderedDict'));

/** Parts of a module. */
export interface ModuleParts {
  parameters?: Record<string, Piece>;
  buffers?: Record<string, Piece>;
  modules?: Record<string, Piece>;
  attributes?: Record<string, Piece>;
}

function moduleState({ parameters = {}, buffers = {}, modules = {}, attributes = {} }: ModuleParts): Piece {
  return dict({
    training: bool(false),
    _parameters: ordered(parameters),
    _buffers: ordered(buffers),
    _modules: ordered(modules),
    ...attributes,
  });
}

/** A plain module object. */
export const plainModule = (module: string, name: string, parts: ModuleParts): Piece =>
  build(newObject(global(module, name)), moduleState(parts));

/** A "persistent" module record. */
export const persistentModule = (className: string, parts: ModuleParts): Piece =>
  callNamed(
    'torch_utils.persistence',
    '_reconstruct_persistent_obj',
    dict({
      type: text('class'),
      version: int(6),
      module_src: text('raise SystemExit("must never run")'),
      class_name: text(className),
      state: moduleState(parts),
    }),
  );

/** A NumPy float64 scalar. */
export function numpyScalar(value: number): Piece {
  const dtype = build(
    callNamed('numpy', 'dtype', text('f8'), bool(false), bool(true)),
    tuple(int(3), text('<'), none, none, none, int(-1), int(-1), int(0)),
  );
  const raw = new Uint8Array(Float64Array.of(value).buffer);
  return callNamed('numpy.core.multiarray', 'scalar', dtype, bytes(raw));
}

const ramp = (count: number, start = 0): number[] => Array.from({ length: count }, (_, i) => start + i / 8);

/** A generator-like network of a few tensors. */
export function smallGenerator(start = 0): Piece {
  const layer = persistentModule('FullyConnectedLayer', {
    parameters: { weight: parameter(tensor([3, 2], ramp(6, start))), bias: none },
    attributes: { in_features: int(2), weight_gain: numpyScalar(0.25), activation: text('lrelu') },
  });
  const renderer = plainModule('training.volumetric_rendering.renderer', 'ImportanceRenderer', {
    buffers: { shaped_smpl: tensor([2, 2, 3], ramp(12, start)) },
    attributes: { thickness: float(0.25), back_head_depth: none, plane_axes: tensor([1], [1]) },
  });
  return persistentModule('TriPlaneGenerator', {
    buffers: { dataset_label_std: tensor([2], [1, 2]) },
    modules: { renderer, backbone: layer, torgb: none },
    attributes: {
      z_dim: int(16),
      explicitly_symmetry: bool(true),
      rendering_kwargs: dict({ ray_start: float(2.25), box_warp: int(1) }),
      _last_planes: none,
      _init_args: emptyTuple,
      _init_kwargs: dict({ z_dim: int(16), sr_kwargs: dict({ channel_max: int(8) }), conv_clamp: none }),
    },
  });
}

/** A discriminator-like network. */
export function smallDiscriminator(): Piece {
  const mbstd = persistentModule('MinibatchStdLayer', { attributes: { group_size: int(4), num_channels: int(1) } });
  return plainModule('training.dual_discriminator', 'PoseShapeAwareDualDiscriminator', {
    modules: {
      b4: persistentModule('DiscriminatorEpilogue', {
        parameters: { weight: parameter(tensor([4], ramp(4, 9))) },
        modules: { mbstd },
      }),
    },
    attributes: { block_resolutions: list(int(16), int(8)), img_channels: int(7) },
  });
}

/** A whole small checkpoint in the published layout. */
export function smallCheckpoint(): Uint8Array {
  return pickle(
    dict({
      training_set_kwargs: dict({ class_name: text('training.dataset.MaskLabeledDataset'), resolution: int(128) }),
      G: smallGenerator(1),
      D: smallDiscriminator(),
      G_ema: smallGenerator(2),
      D_ema: smallDiscriminator(),
      augment_pipe: none,
    }),
  );
}
