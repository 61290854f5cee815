"""The discriminator's phases of bench/step.ts in PyTorch: reads a network's size, answers with milliseconds of one call.

A line is `scores|penalty BATCH SIDE CHANNELS...`, channels of each block from the largest picture down to 4 x 4. The
network is the published one as far as its arithmetic goes: seven channels in, two convolutions and a skip a block, the FIR
filter [1, 3, 3, 1] before each halving, the standard deviation of the batch, a linear end and the pose head.
"""

import sys
import time

import torch
from torch.nn.functional import conv2d, leaky_relu, linear, softplus

torch.set_num_threads(int(sys.argv[1]))
print("version", torch.__version__, flush=True)


class Discriminator:
    def __init__(self, channels):
        self.channels = channels
        self.parameters = []
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.filter = (taps[:, None] * taps[None, :] / 64)[None, None]
        self.rgb = self.weight(channels[0], 7, 1, 1)
        self.blocks = [
            (self.weight(a, a, 3, 3), self.weight(b, a, 3, 3), self.weight(b, a, 1, 1))
            for a, b in zip(channels, channels[1:])
        ]
        last = channels[-1]
        self.end = self.weight(last, last + 1, 3, 3)
        self.linear = self.weight(last, last * 16)
        self.out = self.weight(1, last)
        self.pose = [self.weight(256, last * 16 + 25), self.weight(6, 256)]

    def weight(self, *shape):
        made = (torch.randn(*shape) * 0.1).requires_grad_()
        self.parameters.append(made)
        return made

    def filtered(self, x, padding):
        c = x.shape[1]
        return conv2d(x, self.filter.expand(c, 1, 4, 4), padding=padding, groups=c)

    def __call__(self, x, c):
        x = leaky_relu(conv2d(x, self.rgb), 0.2)
        for conv0, conv1, skip in self.blocks:
            kept = conv2d(self.filtered(x, 1)[:, :, ::2, ::2], skip)
            x = leaky_relu(conv2d(x, conv0, padding=1), 0.2)
            x = leaky_relu(conv2d(self.filtered(x, 2), conv1, stride=2), 0.2)
            x = (x + kept) * 0.7071
        n, _, h, w = x.shape
        spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(n, 1, h, w)
        x = leaky_relu(conv2d(torch.cat([x, spread], 1), self.end, padding=1), 0.2)
        flat = x.flatten(1)
        pose = linear(leaky_relu(linear(torch.cat([flat, c], 1), self.pose[0]), 0.2), self.pose[1])
        return linear(leaky_relu(linear(flat, self.linear), 0.2), self.out) + 0 * pose.sum()


def prepare(kind, batch, side, channels):
    network = Discriminator(channels)
    x = torch.randn(batch, 7, side, side)
    c = torch.randn(batch, 25)
    if kind == "scores":
        return lambda: torch.autograd.grad(softplus(network(x, c)).mean(), network.parameters)

    def penalty():
        picture = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(network(picture, c).sum(), picture, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), network.parameters, allow_unused=True)

    return penalty


kept = {}
for line in sys.stdin:
    if line not in kept:
        kind, batch, side, *channels = line.split()
        kept[line] = prepare(kind, int(batch), int(side), [int(count) for count in channels])
        kept[line]()
    start = time.perf_counter()
    kept[line]()
    print((time.perf_counter() - start) * 1e3, flush=True)
