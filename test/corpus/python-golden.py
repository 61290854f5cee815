"""Writes python-golden.json: pickles, arrays and random numbers made by CPython and NumPy themselves.

    python3 test/corpus/python-golden.py > test/corpus/python-golden.json
"""
import base64, collections, io, json, pickle
import numpy as np


def b64(data):
    return base64.b64encode(data).decode()


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return b64(out.getvalue())


values = [None, True, False, 0, 255, -1, 65535, 65536, -2147483648, 2**31, 2**53 + 1, -2**70, 1.5, float("inf"),
          "h\u00e9\u20ac\U0001F600\\u0041\n", "", b"\x00\xff\n", (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4),
          {"a": [1, {"b": 2}]}, [], {}]
shared = [1]
containers = {"x": shared, "y": shared, "s": {7}, "f": frozenset([3]), "od": collections.OrderedDict([("k", 1)]),
              "ba": bytearray(b"ab"), "c": 1 + 2j}
ramp = np.arange(6, dtype="<f4").reshape(2, 3)
arrays = {
    "float32": ramp,
    "fortran": np.asfortranarray(ramp.astype("f8")),
    "big": ramp.astype(">i2"),
    "bool": ramp > 2,
    "empty": np.zeros((0, 3), "i8"),
    "scalar": np.array(7, "u2"),
    "half": ramp.astype("f2"),
}
scalars = [np.float64(0.1), np.float32(0.5), np.int64(-3), np.bool_(True), np.float16(1.5)]
objects = np.array([None, 1], object)
npz = io.BytesIO()
np.savez_compressed(npz, a=ramp, b=np.array(3))
random = {}
for seed in (0, 1, 4294967295):
    state = np.random.RandomState(seed)
    random[str(seed)] = {"randn": state.randn(5).tolist(), "random": [state.random_sample() for _ in range(3)]}
state = np.random.RandomState(5)
shuffled = list(range(10))
state.shuffle(shuffled)
print(json.dumps({
    "values": [b64(pickle.dumps(values, p)) for p in range(6)],
    "containers": [b64(pickle.dumps(containers, p)) for p in range(6)],
    "arrays": {name: [b64(pickle.dumps(a, p)) for p in (2, 4, 5)] for name, a in arrays.items()},
    "scalars": [[b64(pickle.dumps(s, p)) for p in (2, 4)] for s in scalars],
    "objects": b64(pickle.dumps(objects, 4)),
    "npy": {name: npy(a) for name, a in arrays.items()},
    "npy2": npy(ramp, (2, 0)),
    "npy3": npy(ramp, (3, 0)),
    "npyObjects": npy(objects),
    "npz": b64(npz.getvalue()),
    "random": random,
    "randnFar": np.random.RandomState(5).randn(2001)[-2:].tolist(),
    "shuffle": {"seed": 5, "result": shuffled},
}, indent=1))
