"""The operations of bench/engine.ts in PyTorch: reads sizes, answers with milliseconds of one call."""

import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
print("version", torch.__version__, flush=True)
kept = {}


def prepare(kind, *sizes):
    if kind == "matmul":
        a, b = torch.randn(sizes[0], sizes[0]), torch.randn(sizes[0], sizes[0])
        return lambda: a @ b
    batch, channels, side = sizes
    x = torch.randn(batch, channels, side, side)
    w = torch.randn(channels, channels, 3, 3)
    if kind == "conv":
        return lambda: torch.conv2d(x, w, padding=1)
    dy = torch.randn(batch, channels, side, side)
    return lambda: torch.nn.grad.conv2d_weight(x, w.shape, dy, padding=1)


with torch.no_grad():
    for line in sys.stdin:
        if line not in kept:
            kind, *sizes = line.split()
            kept[line] = prepare(kind, *map(int, sizes))
            kept[line]()
        start = time.perf_counter()
        kept[line]()
        print((time.perf_counter() - start) * 1e3, flush=True)
