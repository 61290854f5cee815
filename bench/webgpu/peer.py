"""The operations of bench/webgpu in PyTorch on CUDA: reads `main.ts --list` from stdin, answers with JSON on stdout.

    npx tsx bench/webgpu/main.ts --list | python3 bench/webgpu/peer.py > peer.json

Milliseconds of one call in float32, in float32 with TF32 multiplications, and in float16: best of three times
30 calls in a row. A table for the eye goes to stderr.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

SIZES = {"float32": (torch.float32, False), "tf32": (torch.float32, True), "float16": (torch.float16, False)}
torch.backends.cudnn.benchmark = True


def run_of(op, dtype):
    x = torch.randn(op["x"], device="cuda", dtype=dtype)
    w = torch.randn(op["w"], device="cuda", dtype=dtype) * 0.02
    a = op["attributes"]
    if op["type"] == "MatMul":
        return lambda: x @ w
    if op["type"] == "ConvTranspose":
        return lambda: F.conv_transpose2d(x, w, stride=2)
    pads = a["pads"]
    if pads[0] == pads[2]:
        return lambda: F.conv2d(x, w, padding=pads[0], groups=a.get("group", 1))
    return lambda: F.conv2d(F.pad(x, (pads[1], pads[3], pads[0], pads[2])), w, groups=a.get("group", 1))


def best(run):
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(30):
            run()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / 30 * 1e3)
    return min(times)


print("PyTorch", torch.__version__, torch.cuda.get_device_name(), file=sys.stderr)
table = {}
with torch.inference_mode():
    for op in json.load(sys.stdin):
        row = table[op["name"]] = {}
        for name, (dtype, tf32) in SIZES.items():
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
            try:
                row[name] = best(run_of(op, dtype))
            except Exception as error:
                print(op["name"], name, str(error)[:200], file=sys.stderr)
        cells = [op["name"], *(f"{name} {value:.3f} ms" for name, value in row.items())]
        print("| " + " | ".join(cells) + " |", file=sys.stderr)
json.dump(table, sys.stdout)
