"""An adversary for samples drawn through the inverse pass: small networks that tell them from recordings.

A spectral distance says how far a draw is from one recording; it cannot say whether a draw could be a recording. These
networks learn to: each looks at a spectrum at one resolution (as UnivNet's, arXiv 2106.07889, but small enough for a
CPU), at its log magnitudes and, since phases are what draws are told by first, at its compressed complex values. The
losses are least squares (HiFi-GAN, arXiv 2010.05646, equations 1 and 2) and the distance of what the layers see in the
draw and in the recording (equation 4). The vocoder stays an exact flow: only how its draws sound is judged.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from glowvox.training.loop import Processes

_FLOOR = 1e-4
"""Magnitudes below this count as this."""
_BETAS = (0.8, 0.99)
_SLOPE = 0.1


class SpectrogramJudge(nn.Module):
    """Judges signals `[B, S]` by their spectrum at one resolution, place by place.

    Args:
        fft_size: in samples; the hop is a quarter of it, the window Hann.
        channels: of the first layer; the others have twice as many.
    """

    def __init__(self, fft_size: int, channels: int = 16) -> None:
        super().__init__()
        self.fft_size = fft_size
        self.register_buffer("window", torch.hann_window(fft_size), persistent=False)
        sizes = [4, channels, 2 * channels, 2 * channels, 2 * channels]
        kernels = [(9, 3), (5, 3), (5, 3), (3, 3)]
        strides = [(4, 1), (2, 2), (2, 1), (2, 1)]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, kernel, stride, (kernel[0] // 2, kernel[1] // 2)))
            for (before, after), kernel, stride in zip(itertools.pairwise(sizes), kernels, strides, strict=True)
        )
        self.verdict = weight_norm(nn.Conv2d(2 * channels, 1, 3, padding=1))

    def forward(self, signal: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the verdict at each place (1: a recording, 0: drawn), and what every layer saw."""
        size = self.fft_size
        spectrum = torch.stft(signal, size, size // 4, window=self.get_buffer("window"), return_complex=True)
        parts = torch.view_as_real(spectrum) * (2.0 / size) ** 0.5
        power = parts.square().sum(-1).clamp_min(_FLOOR**2)
        height = 0.2 * power.log() + 1.6  # about -2 to 2 for speech
        place = torch.linspace(-1.0, 1.0, height.shape[1], device=height.device)[:, None].expand_as(height)
        compressed = parts * (1.5 * power.pow(-0.35))[..., None]  # the phases, loud or quiet
        hidden, seen = torch.stack([height, place, *compressed.unbind(-1)], 1), []
        for layer in self.layers:
            hidden = F.leaky_relu(layer(hidden), _SLOPE)
            seen.append(hidden)
        return self.verdict(hidden), seen


@dataclass(frozen=True)
class AdversarialLoss:
    """For the vocoder: how surely its draws are told from recordings, and how differently they are seen; scalars."""

    verdict: Tensor
    features: Tensor


class Adversary:
    """Networks that judge at several resolutions, with their own optimiser.

    Args:
        fft_sizes: one network each.
        channels: of each network's first layer.
        learning_rate: of AdamW.
        device: where they compute.
        processes: this process's place among others.
    """

    def __init__(
        self,
        fft_sizes: tuple[int, ...],
        channels: int,
        learning_rate: float,
        device: torch.device,
        processes: Processes | None = None,
    ) -> None:
        self.judges = nn.ModuleList(SpectrogramJudge(size, channels) for size in fft_sizes).to(device)
        self._optimiser = torch.optim.AdamW(self.judges.parameters(), learning_rate, betas=_BETAS, weight_decay=0.01)
        self._processes = processes or Processes()
        self._processes.broadcast(self.judges)

    def learn(self, drawn: Tensor, recorded: Tensor) -> float:
        """Learn from draws and recordings `[B, S]` in one step; return the loss before it (untaught: about 1)."""
        self.judges.requires_grad_(requires_grad=True)
        loss = drawn.new_zeros(())
        both = torch.cat([drawn.detach(), recorded])
        for judge in self.judges:
            false, true = judge(both)[0].float().chunk(2)
            loss = loss + ((true - 1).square().mean() + false.square().mean()) / len(self.judges)
        self._optimiser.zero_grad()
        loss.backward()
        self._processes.average(
            [parameter.grad for parameter in self.judges.parameters() if parameter.grad is not None]
        )
        self._optimiser.step()
        return float(loss.detach())

    def judge(self, drawn: Tensor, recorded: Tensor) -> AdversarialLoss:
        """Return the losses of draws `[B, S]` of the same mels as the recordings; only the draws get gradients."""
        self.judges.requires_grad_(requires_grad=False)
        verdicts, features = [], []
        for judge in self.judges:
            verdict, seen = judge(drawn)
            with torch.no_grad():
                expected = judge(recorded)[1]
            verdicts.append((verdict.float() - 1).square().mean())
            features += [
                (mine.float() - theirs.float()).abs().mean() / theirs.float().abs().mean().clamp_min(1e-6)
                for mine, theirs in zip(seen, expected, strict=True)
            ]
        return AdversarialLoss(torch.stack(verdicts).mean(), torch.stack(features).mean())

    def state(self) -> dict[str, Tensor]:
        """Return copies of weights and moments by name: with `restore`, a run goes on exactly."""
        tensors = {f"judges.{name}": value.detach().cpu().clone() for name, value in self.judges.state_dict().items()}
        for name, parameter in self.judges.named_parameters():
            for kind, value in self._optimiser.state.get(parameter, {}).items():
                tensors[f"optimiser.{kind}.{name}"] = torch.as_tensor(value).detach().cpu().clone()
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `state` gave. Without weights of these shapes (a stage that begins) nothing changes."""
        prefix = "judges."
        weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        own = self.judges.state_dict()
        if {name: value.shape for name, value in weights.items()} != {name: value.shape for name, value in own.items()}:
            return
        self.judges.load_state_dict(weights)
        for name, parameter in self.judges.named_parameters():
            kinds = ("step", "exp_avg", "exp_avg_sq")
            kept = {
                kind: tensors[f"optimiser.{kind}.{name}"] for kind in kinds if f"optimiser.{kind}.{name}" in tensors
            }
            if kept:
                self._optimiser.state[parameter] = {
                    kind: value.clone() if kind == "step" else value.to(parameter.device, copy=True)
                    for kind, value in kept.items()
                }
