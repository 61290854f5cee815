"""The same work in PyTorch: single operations with their gradients, and eager rendering of a tri-grid.

    python3 scripts/gpu-check/peer.py < operations.json > peer.json

Reads {"operations": [...], "rendering": {...}} as `prepare.ts` writes it (or `bench/webgpu/main.ts --list`), answers
{"device", "torch", "operations": {name: {float32, tf32, float16}}, "rendering": {...}}: milliseconds of one call in
float32, in float32 with TF32 multiplications, and in float16 (channels last): best of three times several calls in a
row. A row for the eye goes to stderr. The renderer is written from the definitions in src/portrait (rays.ts,
samples.ts, marcher.ts, renderer.ts, decoder.ts) and src/tensor/composites/trigrid.ts.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

SIZES = {"float32": (torch.float32, False), "tf32": (torch.float32, True), "float16": (torch.float16, False)}


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def best(run, device, calls, most=0.3):
    """Milliseconds of one of several calls in a row, for about `most` seconds."""
    run()
    synchronize(device)
    start = time.perf_counter()
    for _ in range(3):
        run()
    synchronize(device)
    each = (time.perf_counter() - start) / 3
    calls = max(1, min(calls, int(most / 3 / each)))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        synchronize(device)
        times.append((time.perf_counter() - start) / calls * 1e3)
    return min(times)


def operation(op, dtype, device):
    """The call of an operation: of `y = f(x, w)`, or of its gradient for a `dy`."""

    def drawn(shape):
        values = torch.randn(shape, device=device, dtype=torch.float32).to(dtype)
        return values.contiguous(memory_format=torch.channels_last) if dtype == torch.float16 and len(shape) == 4 else values

    x, w = drawn(op["x"]), drawn(op["w"]) * 0.02
    forward = op["pass"] == "forward"
    if op["kind"] == "matmul":
        if forward:
            return lambda: x @ w
        dy = drawn([op["x"][0], op["w"][1]])
        return (lambda: dy @ w.T) if op["pass"] == "input gradient" else (lambda: x.T @ dy)
    top, left, bottom, right = op["padding"]
    transposed = op["kind"] == "transposed"
    stride, groups = [op["stride"]] * 2, op["groups"]
    if (top, left) != (bottom, right):
        return lambda: F.conv2d(F.pad(x, (left, right, top, bottom)), w, stride=stride, groups=groups)
    settings = (stride, [top, left], [1, 1], transposed, [0, 0], groups)
    call = lambda: torch.convolution(x, w, None, *settings)
    if forward:
        return call
    dy = drawn(list(call().shape))
    wanted = [op["pass"] == "input gradient", op["pass"] == "weight gradient", False]
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, *settings, wanted)


class Renderer:
    """Coarse and importance pass over a tri-grid, eager: one picture, `planes` [1, 3 C D, H, W]."""

    def __init__(self, setting, planes, decoder):
        self.s = setting
        channels = planes.shape[1] // (3 * setting["depth"])
        # From plane, feature, depth (fastest) to volumes [3, C, D, H, W].
        self.volumes = planes.reshape(3, channels, setting["depth"], *planes.shape[2:])
        self.w0, self.b0, self.w1, self.b1 = decoder

    def rays(self):
        n, c = self.s["side"], torch.tensor(self.s["c"], device=self.volumes.device)
        pose, intrinsics = c[:16].reshape(4, 4), c[16:].reshape(3, 3)
        centre = (torch.arange(n, device=c.device) + 0.5) / n
        v, u = torch.meshgrid(centre, centre, indexing="ij")
        y = (v - intrinsics[1, 2]) / intrinsics[1, 1]
        x = (u - intrinsics[0, 2] - intrinsics[0, 1] * y) / intrinsics[0, 0]
        points = torch.stack([x, y, torch.ones_like(x), torch.ones_like(x)], -1).reshape(-1, 4) @ pose.T
        directions = points[:, :3] - pose[:3, 3]
        return pose[:3, 3], directions / directions.norm(dim=-1, keepdim=True)

    def field(self, points):
        """Points [P, 3] to densities [P] and features [P, 32]."""
        at = (points * (2 / self.s["boxWarp"])).to(self.volumes.dtype)
        # Columns, rows and layers of each plane.
        grid = torch.stack([at[:, [0, 1, 2]], at[:, [0, 2, 1]], at[:, [1, 2, 0]]])
        found = F.grid_sample(self.volumes, grid[:, None, None], padding_mode="zeros", align_corners=False)
        features = found[:, :, 0, 0].mean(0).T
        hidden = F.softplus(F.linear(features, self.w0 / self.w0.shape[1] ** 0.5, self.b0))
        out = F.linear(hidden, self.w1 / self.w1.shape[1] ** 0.5, self.b1)
        outside = (points[:, [0, 2]].abs() > self.s["boxWarp"] / 2 - self.s["cropMargin"]).any(-1)
        return torch.where(outside, torch.full_like(out[:, 0], -1000), out[:, 0]), out[:, 1:]

    def samples(self, origin, directions, depths):
        points = origin + directions[:, None] * depths[..., None]
        sigma, features = self.field(points.reshape(-1, 3))
        return sigma.reshape(depths.shape).float(), features.reshape(*depths.shape, -1)

    @staticmethod
    def weights(sigma, depths):
        density = F.softplus((sigma[:, 1:] + sigma[:, :-1]) / 2 - 1)
        alpha = 1 - torch.exp(-density * (depths[:, 1:] - depths[:, :-1]))
        passed = torch.cumprod(1 - alpha + 1e-10, 1)
        return alpha * torch.cat([torch.ones_like(passed[:, :1]), passed[:, :-1]], 1)

    def importance(self, depths, weights):
        count = self.s["importanceSamples"]
        peaks = F.max_pool1d(weights[:, None], 2, 1, padding=1)
        q = F.avg_pool1d(peaks, 2, 1)[:, 0, 1:-1] + 0.01 + 1e-5
        cdf = torch.cumsum(q / q.sum(1, keepdim=True), 1)
        cdf = torch.cat([torch.zeros_like(cdf[:, :1]), cdf], 1)
        middle = (depths[:, 1:] + depths[:, :-1]) / 2
        u = torch.linspace(0, 1, count, device=depths.device).expand(len(depths), count).contiguous()
        k = torch.searchsorted(cdf, u, right=True)
        low, high = (k - 1).clamp(min=0), k.clamp(max=cdf.shape[1] - 1)
        start, width = cdf.gather(1, low), cdf.gather(1, high) - cdf.gather(1, low)
        width = torch.where(width < 1e-5, torch.ones_like(width), width)
        near, far = middle.gather(1, low), middle.gather(1, high)
        return near + (u - start) / width * (far - near)

    def __call__(self):
        """Features [rays, 32], depth and opacity [rays, 1]."""
        s = self.s
        origin, directions = self.rays()
        steps = torch.arange(s["samples"], device=origin.device) + 0.5
        depths = s["rayStart"] + steps * ((s["rayEnd"] - s["rayStart"]) / (s["samples"] - 1))
        depths = depths.expand(len(directions), -1).contiguous()
        sigma, features = self.samples(origin, directions, depths)
        fine = self.importance(depths, self.weights(sigma, depths))
        more = self.samples(origin, directions, fine)
        depths, order = torch.cat([depths, fine], 1).sort(1)
        sigma = torch.cat([sigma, more[0]], 1).gather(1, order)
        features = torch.cat([features, more[1]], 1)
        features = features.gather(1, order[..., None].expand(-1, -1, features.shape[2])).float()
        weights = self.weights(sigma, depths)
        opacity = weights.sum(1, keepdim=True)
        colour = (weights[..., None] * (features[:, 1:] + features[:, :-1]) / 2).sum(1)
        depth = (weights * (depths[:, 1:] + depths[:, :-1]) / 2).sum(1, keepdim=True) / opacity
        depth = torch.nan_to_num(depth, float("inf")).clamp(depths.min(), depths.max())
        return colour, depth, opacity


def random_renderer(setting, dtype, device):
    side = setting["planeResolution"]
    shapes = [[1, 96 * setting["depth"], side, side], [64, 32], [64], [33, 64], [33]]
    planes, *decoder = [torch.randn(shape, device=device).to(dtype) for shape in shapes]
    return Renderer(setting, planes, decoder)


def measured(make, device, calls):
    """Milliseconds in each precision; peak memory beyond what was there, in MiB."""
    row = {}
    for name, (dtype, tf32) in SIZES.items():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        try:
            run = make(dtype)
            if device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated() if device == "cuda" else 0
            row[name] = best(run, device, calls)
            if device == "cuda":
                row[f"{name}PeakMebibytes"] = round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
        except Exception as error:
            row[f"{name}Error"] = str(error)[:200]
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=60, help="after which no further operation starts")
    options = parser.parse_args()
    device, start = options.device, time.perf_counter()
    torch.backends.cudnn.benchmark = True
    tasks = json.load(sys.stdin)
    name = torch.cuda.get_device_name() if device == "cuda" else device
    answer = {"device": name, "torch": torch.__version__, "operations": {}}
    show = lambda label, row: print(label, json.dumps(row), file=sys.stderr, flush=True)
    with torch.inference_mode():
        if "rendering" in tasks:
            make = lambda dtype: random_renderer(tasks["rendering"], dtype, device)
            answer["rendering"] = measured(make, device, 20)
            show("rendering", answer["rendering"])
        for op in tasks["operations"]:
            if time.perf_counter() - start > options.seconds:
                show("no time left for", op["name"])
                continue
            row = measured(lambda dtype: operation(op, dtype, device), device, 50)
            answer["operations"][op["name"]] = row
            show(op["name"], row)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
