"""A first normalizing flow: fit the density of two moons, and draw it.

    python examples/two_moons.py two_moons.png

Points `[B, 2]` go through couplings whose networks are plain perceptrons, mixed by invertible matrices; training makes
what comes out Gaussian. Since every layer knows its log-determinant, the density of the points is exact, and running
the flow backwards draws new ones. Needs PyTorch and matplotlib (extra: train).
"""

import math
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from glowvox.flows import ActNorm, AffineCoupling, Chain, Flow, InvertibleConv, gaussian_log_likelihood


def two_moons(count: int, noise: float = 0.08) -> Tensor:
    """Return points `[count, 2]` on two half circles that reach into each other."""
    angle = math.pi * torch.rand(count)
    upper = torch.rand(count) < 0.5
    x = torch.where(upper, angle.cos() - 0.5, 0.5 - angle.cos())
    y = torch.where(upper, angle.sin() - 0.25, 0.25 - angle.sin())
    return torch.stack([x, y], 1) + noise * torch.randn(count, 2)


def build(steps: int = 8, width: int = 64) -> Chain:
    """Return a flow of points: one half moves the other, then both are mixed."""
    layers: list[Flow] = []
    for _ in range(steps):
        network = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2))
        layers += [ActNorm(2), InvertibleConv(2), AffineCoupling(network, max_log_scale=2.0)]
    return Chain(layers)


def log_density(flow: Chain, points: Tensor) -> Tensor:
    """Return log p of points `[B, 2]`, `[B]` nats: the change of variables."""
    latent, log_det = flow(points)
    return gaussian_log_likelihood(latent) + log_det


def fit(flow: Chain, steps: int = 1500, batch: int = 512) -> float:
    """Maximise the likelihood of fresh points; return that of the last ones, in nats per point."""
    optimiser = torch.optim.Adam(flow.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    flow.train()
    for step in range(1, steps + 1):
        loss = -log_density(flow, two_moons(batch)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step == 1 or step % 250 == 0:
            print(f"step {step}: {-loss.item():.3f} nats per point")
    return -loss.item()


@torch.no_grad()
def draw(flow: Chain, path: Path) -> None:
    """Write a picture of the density, with points drawn from it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    flow.eval()
    xs, ys = torch.linspace(-2, 2, 240), torch.linspace(-1.5, 1.5, 180)
    grid = torch.cartesian_prod(xs, ys)
    density = log_density(flow, grid).exp().reshape(len(xs), len(ys)).T
    drawn, _ = flow.inverse(torch.randn(600, 2))
    figure, axes = pyplot.subplots(figsize=(6, 4.5))
    axes.imshow(density.numpy(), origin="lower", extent=(-2, 2, -1.5, 1.5), cmap="magma", aspect="equal")
    axes.scatter(*drawn.T.numpy(), s=2, color="white", alpha=0.5)
    axes.set(xlim=(-2, 2), ylim=(-1.5, 1.5), title="p(x), and points drawn from it")
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)


def main(arguments: list[str]) -> None:
    """Fit and draw; the second argument is the number of steps."""
    path = Path(arguments[0] if arguments else "two_moons.png")
    torch.manual_seed(0)
    flow = build()
    fit(flow, *map(int, arguments[1:2]))
    draw(flow, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
