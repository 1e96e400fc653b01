"""WaveGlow's inverse on a signal that comes in pieces, in PyTorch: the plain form of what the graphs do.

Every convolution sees the rows that it still needs of the pieces before, and gives a value when everything that the
value depends on is there. Zeros stand beyond the true ends only. What is computed once is not computed again.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.flows.coupling import AffineCoupling
from glowvox.models.waveglow import MelEncoder, MelEnvelope, MelUpsampler, WaveGlow, WaveGlowStep
from glowvox.nn.wavenet import WN, WNLayer


def step_delay(model: WaveGlow) -> int:
    """Return the mel frames that must follow a frame before its samples can be computed."""
    reach = sum(step.receptive_field for step in model.steps if isinstance(step, WaveGlowStep))
    condition = 0 if model.encoder is None else model.encoder.receptive_field
    frames = condition + math.ceil(reach / model.config.groups_per_frame)
    if isinstance(model.scale, nn.Module):
        frames = max(frames, 2)
    return frames + (1 if model.config.transform == "lapped" else 0)


class StepPiece:
    """One piece on its way through a model, `[1, C, T]` everywhere; used once."""

    def __init__(self, model: WaveGlow, before: Mapping[str, Any], *, final: bool) -> None:
        """Take what the piece before left.

        Args:
            model: in evaluation mode.
            before: `after` of the piece before; empty for the first one.
            final: whether the signal ends with this piece.
        """
        self._model = model
        self._before = before
        self._final = final
        self.after: dict[str, Any] = {}
        """What the next piece needs."""

    def inverse(self, latent: Tensor, mel: Tensor) -> Tensor:
        """Return the samples `[1, S]` that are ready, of `latent [1, G, t * groups_per_frame]` and `mel [1, M, t]`."""
        model, config = self._model, self._model.config
        mel = (mel - config.mel_mean) / config.mel_std
        self._keep_condition(mel)
        x = self._steps(latent)
        per_frame = config.groups_per_frame
        known = self._known("columns", x)
        frames = known.shape[2] // per_frame
        log_scale = None
        if model.scale is not None:
            log_scale = self._known("scale", self._log_scale(mel))
            frames = min(frames, log_scale.shape[2])
            self.after["scale"] = log_scale[:, :, frames:]
        self.after["columns"] = known[:, :, frames * per_frame :]
        x = known[:, :, : frames * per_frame]
        if isinstance(model.limit, nn.Module):
            x = model.limit(x)
        if log_scale is not None:
            x = x * log_scale[:, :, :frames].repeat_interleave(per_frame, 2).exp()
        x = self._unlapped(x) if config.transform == "lapped" else model.transform.inverse(x)[0]
        samples = self._known("samples", x)
        whole = samples.shape[2] // config.audio.hop_length * config.audio.hop_length
        self.after["samples"] = samples[:, :, whole:]
        return samples[:, 0, :whole]

    def _known(self, name: str, new: Tensor) -> Tensor:
        """Return what waited under a name, and what is new."""
        before = self._before.get(name)
        return new if before is None else torch.cat([before, new], 2)

    def _window(self, name: str, new: Tensor, left: int, right: int) -> Tensor:
        """Return the values that an unpadded convolution turns into all values that can be computed now."""
        before = self._before.get(name)
        known = F.pad(new, (left, 0)) if before is None else torch.cat([before, new], 2)
        self.after[name] = known[:, :, max(0, known.shape[2] - left - right) :]
        return F.pad(known, (0, right)) if self._final else known

    def _waited(self, name: str, new: Tensor, count: int) -> Tensor:
        """Return the first values of those that waited and those that are new; the rest waits on."""
        known = self._known(name, new)
        self.after[name] = known[:, :, count:]
        return known[:, :, :count]

    def _convolved(self, name: str, convolution: nn.Conv1d, x: Tensor) -> Tensor:
        reach = convolution.kernel_size[0] // 2
        return F.conv1d(self._window(name, x, reach, reach), convolution.weight, convolution.bias)

    def _keep_condition(self, mel: Tensor) -> None:
        """Compute the condition of the new frames; layers take it when they come to it."""
        model = self._model
        condition = mel
        if model.upsample is not None:
            condition = self._upsampled(model.upsample, mel)
        elif model.encoder is not None:
            condition = self._encoded(model.encoder, mel)
        self._condition = self._known("condition", condition)
        self._condition_from = self._before.get("condition from", 0)
        """Place of its first value in the signal."""
        self._used: list[int] = []

    def _upsampled(self, upsample: MelUpsampler, mel: Tensor) -> Tensor:
        past = upsample.receptive_field - 1
        known = self._window("upsample", mel, past, 0) if past else mel
        return upsample(known)[:, :, past * self._model.config.groups_per_frame :]

    def _encoded(self, encoder: MelEncoder, mel: Tensor) -> Tensor:
        hidden = F.gelu(self._convolved("encoder first", encoder.first, mel))
        return F.gelu(self._convolved("encoder second", encoder.second, hidden))

    def _log_scale(self, mel: Tensor) -> Tensor:
        assert self._model.scale is not None
        envelope = self._model.scale.network
        assert isinstance(envelope, MelEnvelope)
        hidden = F.gelu(self._convolved("scale hidden", envelope.hidden, mel))
        correction = self._convolved("scale correction", envelope.correction, hidden)
        base = self._convolved("scale base", envelope.base, mel)
        return self._waited("scale waits", base, correction.shape[2]) + correction

    def _steps(self, latent: Tensor) -> Tensor:
        """Undo the steps of the flow; channels that left early wait until they are due."""
        model, config = self._model, self._model.config
        sizes = [config.n_early_size] * len(config.early_exits)
        *early, x = latent.split([*sizes, config.remaining_channels], 1)
        ready = self._condition_from + self._condition.shape[2]
        columns = ready if model.upsample is not None else ready * config.groups_per_frame
        x = self._waited("latent", x, columns - self._place("latent"))
        self.after["latent at"] = columns
        for index, step in reversed(list(enumerate(model.steps))):
            assert isinstance(step, WaveGlowStep)
            x = self._coupling(f"step {index}", step.coupling, x)
            x, _ = step.convolution.inverse(x)
            if step.actnorm is not None:
                x, _ = step.actnorm.inverse(x)
            if index in config.early_exits:
                x = torch.cat([self._waited(f"early {index}", early.pop(), x.shape[2]), x], 1)
        kept = min(self._used) - self._condition_from
        self.after["condition"] = self._condition[:, :, kept:]
        self.after["condition from"] = self._condition_from + kept
        return x

    def _coupling(self, name: str, coupling: AffineCoupling, x: Tensor) -> Tensor:
        moved = x.shape[1] // 2
        stack = coupling.network
        assert isinstance(stack, WN)
        shift, log_scale = self._stack(name, stack, x[:, : x.shape[1] - moved]).chunk(2, 1)
        if coupling.max_log_scale:
            log_scale = coupling.max_log_scale * torch.tanh(log_scale / coupling.max_log_scale)
        kept, rest = self._waited(f"{name} input", x, shift.shape[2]).split([x.shape[1] - moved, moved], 1)
        return torch.cat([kept, (rest - shift) * (-log_scale).exp()], 1)

    def _stack(self, name: str, stack: WN, x: Tensor) -> Tensor:
        """Return what `WN.forward` gives, as far as it is known."""
        layers: list[WNLayer] = list(stack.layers)  # type: ignore[arg-type]
        hidden = F.conv1d(x, stack.start.weight, stack.start.bias)
        total: Tensor | None = None
        for index, (layer, dilation) in enumerate(zip(layers, stack.dilations, strict=True)):
            reach = dilation * (stack.kernel_size // 2)
            known = self._window(f"{name} layer {index}", hidden, reach, reach)
            middle = known[:, :, reach : known.shape[2] - reach]
            if layer.depthwise is not None:
                known = F.conv1d(known, layer.depthwise.weight, dilation=dilation, groups=stack.channels)
                gates = F.conv1d(known, layer.dilated.weight, layer.dilated.bias)
            else:
                gates = F.conv1d(known, layer.dilated.weight, layer.dilated.bias, dilation=dilation)
            if stack.condition is not None:
                rows = slice(index * gates.shape[1], (index + 1) * gates.shape[1])
                gates = gates + self._projected(f"{name} layer {index}", stack.condition, rows, gates.shape[2])
            filtered, gate = gates.chunk(2, 1)
            mixed = F.conv1d(torch.tanh(filtered) * torch.sigmoid(gate), layer.mix.weight, layer.mix.bias)
            if index < len(layers) - 1:
                hidden, mixed = middle + mixed[:, : stack.channels], mixed[:, stack.channels :]
            total = mixed if total is None else self._waited(f"{name} skip {index}", total, mixed.shape[2]) + mixed
        assert total is not None
        return F.conv1d(total, stack.end.weight, stack.end.bias)

    def _projected(self, name: str, condition: nn.Module, rows: slice, count: int) -> Tensor:
        """Return a layer's part of the condition for its next `count` columns."""
        repeat = 1 if self._model.upsample is not None else self._model.config.groups_per_frame
        start = self._place(name)
        self.after[f"{name} at"] = start + count
        self._used.append((start + count) // repeat)
        first, last = start // repeat, -(-(start + count) // repeat)
        part = self._condition[:, :, first - self._condition_from : last - self._condition_from]
        weight, bias = condition.get_parameter("weight")[rows], condition.get_parameter("bias")[rows]
        projected = F.conv1d(part, weight, bias)
        if repeat > 1:
            projected = projected.repeat_interleave(repeat, 2)
        return projected[:, :, start - first * repeat : start - first * repeat + count]

    def _place(self, name: str) -> int:
        """Return how many values of the signal have passed a place in the pieces before."""
        return int(self._before.get(f"{name} at", 0))

    def _unlapped(self, blocks: Tensor) -> Tensor:
        """Undo the lapped transform: a block needs its neighbours on both sides."""
        known, start = self._known("blocks", blocks), self._place("blocks")
        spoken = self._place("spoken blocks")
        end = start + known.shape[2] - (0 if self._final else 1)
        kept = max(0, end - 1 - start)
        self.after |= {"blocks": known[:, :, kept:], "blocks at": start + kept, "spoken blocks at": end}
        hop = self._model.config.n_group
        samples = self._model.transform.inverse(known)[0]
        return samples[:, :, (spoken - start) * hop : (end - start) * hop]
