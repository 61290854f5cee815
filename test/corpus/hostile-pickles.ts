/**
 * Pickles that attack their reader, one for each known way, and the answer each must get.
 *
 * `record`: the pickle is well-formed, so it becomes an inert record that names this callee, and as a checkpoint
 * it is refused. `error`: the bytes themselves are refused with a FormatError that says this.
 */

import * as p from './pickle-builder.ts';

export interface Hostile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly record?: string;
  readonly error?: RegExp;
}

const COMMAND = p.text('touch hostile-was-here');

function calls(module: string, name: string, ...args: p.Piece[]): Hostile {
  return { name: `${module}.${name}`, bytes: p.pickle(p.callNamed(module, name, ...args)), record: `${module}.${name}` };
}

function refuses(name: string, bytes: Uint8Array, error: RegExp): Hostile {
  return { name, bytes, error };
}

/** Direct imports. */
const direct: Hostile[] = [
  calls('os', 'system', COMMAND),
  calls('posix', 'system', COMMAND),
  calls('nt', 'system', COMMAND),
  calls('os', 'popen', COMMAND),
  calls('os', 'execvp', p.text('touch'), p.list(COMMAND)),
  calls('subprocess', 'Popen', p.list(p.text('touch'), COMMAND)),
  calls('subprocess', 'check_output', COMMAND),
  calls('builtins', 'eval', p.text('__import__("os").system("true")')),
  calls('__builtin__', 'eval', p.text('1')),
  calls('builtins', 'exec', p.text('import os')),
  calls('builtins', 'compile', p.text('1'), p.text('x'), p.text('exec')),
  calls('builtins', 'getattr', p.global('os', 'path'), p.text('join')),
  calls('builtins', '__import__', p.text('os')),
  calls('importlib', 'import_module', p.text('os')),
  { name: 'INST os.system', bytes: p.join(p.ascii('('), COMMAND, p.ascii('ios\nsystem\n.')), record: 'os.system' },
  { name: 'OBJ os.system', bytes: p.join(p.ascii('('), p.global('os', 'system'), COMMAND, p.ascii('o.')), record: 'os.system' },
  { name: 'NEWOBJ os.system', bytes: p.pickle(p.newObject(p.global('os', 'system'), COMMAND)), record: 'os.system' },
  {
    name: 'STACK_GLOBAL of a dotted name',
    bytes: p.pickle(p.join(p.text('os'), p.text('path.os.system'), [0x93], p.tuple(COMMAND), [0x52])),
    record: 'os.path.os.system',
  },
];

/** Names built on the way. */
const indirect: Hostile[] = [
  calls('operator', 'attrgetter', p.text('system')),
  calls('operator', 'methodcaller', p.text('system'), COMMAND),
  calls('functools', 'partial', p.global('os', 'system'), COMMAND),
  calls('functools', 'reduce', p.global('operator', 'add'), p.list()),
  calls('pkgutil', 'resolve_name', p.text('os:system')),
  calls('types', 'CodeType', p.int(0), p.int(0)),
  calls('types', 'FunctionType', p.callNamed('types', 'CodeType'), p.dict({})),
  calls('marshal', 'loads', p.bytes(Uint8Array.of(0xe3, 0))),
  calls('builtins', 'map', p.global('os', 'system'), p.list(COMMAND)),
  calls('copyreg', '_reconstructor', p.global('os', 'system'), p.global('builtins', 'object'), p.none),
  {
    name: 'the result of a call is called',
    bytes: p.pickle(p.call(p.callNamed('operator', 'methodcaller', p.text('system'), COMMAND), p.global('os', 'os'))),
    record: '?',
  },
  {
    name: '__setstate__ through BUILD',
    bytes: p.pickle(p.build(p.newObject(p.global('a', 'B')), p.dict({ __setstate__: p.global('os', 'system') }))),
    record: 'a.B',
  },
  refuses('BUILD on a class', p.pickle(p.build(p.global('os', 'environ'), p.dict({ PATH: p.text('') }))), /BUILD gives a state to the name/),
];

/** Library functions that run, load or fetch something. */
const sinks: Hostile[] = [
  calls('runpy', 'run_path', p.text('x.py')),
  calls('runpy', '_run_code', p.text('x')),
  calls('pty', 'spawn', COMMAND),
  calls('timeit', 'timeit', p.text('import os')),
  calls('cProfile', 'run', p.text('import os')),
  calls('code', 'InteractiveInterpreter'),
  calls('pip', 'main', p.list(p.text('install'))),
  calls('numpy.testing._private.utils', 'runstring', p.text('import os'), p.dict({})),
  calls('numpy', 'load', p.text('x.npy')),
  calls('torch', 'load', p.bytes(Uint8Array.of(0x80, 2))),
  calls('torch.hub', 'load', p.text('a/b'), p.text('c')),
  calls('torch.serialization', 'load', p.text('x')),
  calls('pickle', 'loads', p.bytes(p.ascii('cos\nsystem\n.'))),
  calls('ctypes', 'CDLL', p.text('libc.so.6')),
  calls('logging.config', 'listen', p.int(80)),
];

/** Files and networks. */
const openers: Hostile[] = [
  calls('builtins', 'open', p.text('/etc/passwd')),
  calls('io', 'open', p.text('/etc/passwd')),
  calls('pathlib', 'PosixPath', p.text('/etc/passwd')),
  calls('shutil', 'rmtree', p.text('/')),
  calls('socket', 'create_connection', p.tuple(p.text('localhost'), p.int(80))),
  calls('urllib.request', 'urlopen', p.text('http://localhost/')),
  calls('webbrowser', 'open', p.text('http://localhost/')),
  calls('linecache', 'getline', p.text('/etc/passwd'), p.int(1)),
];

const valid = p.pickle(p.dict({ a: p.int(1) }));
const frame = (declared: number, ...content: p.Piece[]) => p.join([0x80, 4, 0x95], p.le64(declared), ...content);

/** Readers that stop at different places. */
const divergence: Hostile[] = [
  refuses('payload before a broken tail', p.join(p.callNamed('os', 'system', COMMAND), [0xff]), /0xff is not a pickle opcode/),
  refuses('payload popped before the end', p.pickle(p.join(p.callNamed('os', 'system', COMMAND), p.ascii('0'))), /STOP finds the stack empty/),
  refuses('a second pickle after STOP', p.join(valid, valid), /bytes follow the end/),
  refuses('text after STOP', p.join(valid, p.ascii('#')), /1 bytes follow the end/),
  refuses('a frame longer than the file', frame(1e6, p.none, p.ascii('.')), /a frame takes 1000000 bytes .* are missing/),
  refuses('a frame longer than the pickle', p.join(frame(4, p.none, p.ascii('.')), p.ascii('NN')), /2 bytes away from its frame/),
  refuses('a frame that ends in an opcode', frame(3, p.text('abc'), p.ascii('.')), /reaches over the end of its frame/),
  refuses('a frame in a frame', frame(13, frame(2, p.none, p.ascii('.')).subarray(2), p.ascii('NN')), /before the last one ended/),
  refuses('PROTO in the middle', p.join(p.none, [0x80, 2], p.ascii('0N.')), /PROTO in the middle/),
  refuses('protocol 6', p.pickle(p.none, 6), /protocol 6/),
  refuses('values left over', p.pickle(p.join(p.none, p.none)), /left on its stack/),
  refuses('marks left over', p.join(p.ascii('(N')), /ends early/),
  refuses('a mark left over', p.pickle(p.join(p.ascii('('), p.none)), /left on its stack/),
  refuses('extension codes', p.pickle(Uint8Array.of(0x82, 1)), /extension codes/),
  refuses('out-of-band buffers', p.pickle(Uint8Array.of(0x97)), /out-of-band/),
];

/** Small files that ask for much. */
const resources: Hostile[] = [
  refuses('BINBYTES of 4 GB', p.join([0x80, 4, 0x42, 255, 255, 255, 255]), /takes 4294967295 bytes but 0 remain/),
  refuses('BINBYTES8 of 2^63', p.join([0x80, 4, 0x8e], [0, 0, 0, 0, 0, 0, 0, 128]), /2\^53/),
  refuses('BINBYTES8 of 2^52', p.join([0x80, 4, 0x8e], [0, 0, 0, 0, 0, 0, 16, 0]), /are missing/),
  refuses('BINUNICODE8 of 2^52', p.join([0x80, 4, 0x8d], [0, 0, 0, 0, 0, 0, 16, 0]), /are missing/),
  refuses('BINSTRING of -1', p.join([0x80, 2, 0x54, 255, 255, 255, 255]), /negative length/),
  refuses('LONG4 of -1', p.join([0x80, 2, 0x8b, 255, 255, 255, 255]), /negative length/),
  refuses('LONG4 of 5000 bytes', p.pickle(p.join([0x8b], p.le32(5000), new Uint8Array(5000))), /integer of 5000 bytes/),
  refuses('INT of 5000 digits', p.ascii(`I${'9'.repeat(5000)}\n.`), /longer than 4096/),
  refuses('a text of 17 MB', p.pickle(p.join([0x58], p.le32(17 << 20), new Uint8Array(17 << 20))), /are read as text/),
  refuses('a name of 5000 characters', p.pickle(p.join(p.text('a'.repeat(5000)), p.text('b'), [0x93])), /more than 4096/),
  refuses('two million lists', p.join([0x80, 4, 0x28], new Uint8Array(2_000_000).fill(0x5d)), /more than 1000000 operations/),
  refuses('two million marks', p.join([0x80, 4], new Uint8Array(2_000_000).fill(0x28)), /more than 1000000 operations/),
  refuses('a million duplicates', p.join([0x80, 4, 0x4e], new Uint8Array(1_200_000).fill(0x32)), /more than 1000000 operations/),
];

/** Bytes that crashed other readers. */
const corruption: Hostile[] = [
  refuses('an unset memo entry', p.pickle(p.get(7)), /memo entry 7/),
  refuses('MEMOIZE of nothing', p.pickle(Uint8Array.of(0x94)), /memo finds the stack empty/),
  refuses('PUT of a word', p.ascii('Npx\n.'), /memo index is not a number/),
  refuses('PUT of -1', p.ascii('Np-1\n.'), /memo index is not a number/),
  refuses('TUPLE without a mark', p.pickle(p.ascii('t')), /TUPLE finds no mark/),
  refuses('TUPLE3 of two', p.pickle(p.join(p.none, p.none, [0x87])), /TUPLE3 finds the stack empty/),
  refuses('pop below a mark', p.pickle(p.join(p.none, p.ascii('('), [0x85])), /TUPLE1 finds the stack empty/),
  refuses('SETITEMS with an odd count', p.pickle(p.join(p.dict({}), p.ascii('('), p.none, p.ascii('u'))), /key without a value/),
  refuses('SETITEM on a number', p.pickle(p.join(p.int(1), p.none, p.none, p.ascii('s'))), /sets entries of the number 1/),
  refuses('APPEND to None', p.pickle(p.join(p.none, p.none, p.ascii('a'))), /adds to None/),
  refuses('a list for a key', p.pickle(p.join(p.dict({}), p.list(), p.none, p.ascii('s'))), /cannot be a key/),
  refuses('REDUCE of a number', p.pickle(p.call(p.int(1))), /REDUCE calls the number 1/),
  refuses('REDUCE without a tuple', p.pickle(p.join(p.global('a', 'b'), p.none, p.ascii('R'))), /needs a tuple/),
  refuses('OBJ of nothing', p.ascii('(o.'), /finds no class/),
  refuses('broken UTF-8', p.pickle(p.join([0x58], p.le32(2), [0xc3, 0x28])), /UTF-8/),
  refuses('broken escapes', p.ascii("S'\\x1'\n."), /broken \\x escape/),
  refuses('an open string', p.ascii("S'abc\n."), /not in quotes/),
  refuses('a broken code point', p.ascii('V\\U00110000\n.'), /broken escape/),
  refuses('a word for a number', p.ascii('Iabc\n.'), /not an integer/),
  refuses('a word for a float', p.ascii('F0x1\n.'), /not a number/),
  refuses('a class without a name', p.ascii('cos'), /no end of line/),
  refuses('nothing but PROTO', Uint8Array.of(0x80), /PROTO/),
  refuses('no bytes', new Uint8Array(0), /ends early/),
];

export const hostilePickles: Record<string, Hostile[]> = {
  'direct imports': direct,
  indirection: indirect,
  'library sinks': sinks,
  'file and network openers': openers,
  'parser divergence': divergence,
  resources,
  corruption,
};
