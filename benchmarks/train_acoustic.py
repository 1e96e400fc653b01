"""Training speed: this project's Glow-TTS against a plain float32 module in random batches, in one run.

The plain module has the same encoder in float32 and the decoder of the published program: `conv1d` on [channels, time]
with weight norm, ActNorm and the grouped 1x1 convolution written out, and its batches are drawn at random, so that
padding is computed too. Both see the same utterances, as long as those of LJ Speech, and what counts is true frames.

    python benchmarks/train_acoustic.py [--presets glow-tts-base ...] [--steps 6] [--threads 2] [--json]
"""

import argparse
import dataclasses
import json
import multiprocessing
import time
from typing import Any

BATCH = 8
UTTERANCES = 96
_SECONDS, _SPREAD, _SHORTEST, _LONGEST = 6.57, 2.18, 1.1, 10.1
"""Mean, standard deviation and range of the lengths of LJ Speech's clips."""
_TOKENS_PER_SECOND = 30.0
"""With blanks between the symbols."""


def utterances(rate: float) -> list[tuple[int, int]]:
    """Return mel frames and tokens of made-up utterances as long as those of LJ Speech."""
    import numpy as np

    generator = np.random.default_rng(0)
    seconds = np.clip(generator.normal(_SECONDS, _SPREAD, UTTERANCES), _SHORTEST, _LONGEST)
    return [(int(length * rate) // 2 * 2, int(length * _TOKENS_PER_SECOND)) for length in seconds]


def plain_decoder(config: Any) -> Any:
    """Build the straightforward float32 decoder of a `GlowTTSConfig`."""
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.nn.utils.parametrizations import weight_norm

    channels, width = config.audio.n_mels * config.n_squeeze, config.decoder_channels

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logs, self.bias = nn.Parameter(torch.zeros(1, channels, 1)), nn.Parameter(torch.zeros(1, channels, 1))
            self.mixer = nn.Parameter(torch.linalg.qr(torch.randn(config.n_split, config.n_split))[0].contiguous())
            self.start = weight_norm(nn.Conv1d(channels // 2, width, 1))
            self.inner = nn.ModuleList(
                weight_norm(nn.Conv1d(width, 2 * width, config.kernel_size, padding=config.kernel_size // 2))
                for _ in range(config.n_layers)
            )
            self.mix = nn.ModuleList(
                weight_norm(nn.Conv1d(width, 2 * width if i < config.n_layers - 1 else width, 1))
                for i in range(config.n_layers)
            )
            self.end = nn.Conv1d(width, channels, 1)
            nn.init.zeros_(self.end.weight)
            nn.init.zeros_(self.end.bias)
            self.dropout = nn.Dropout(config.decoder_dropout)

        def forward(self, x: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            frames = mask.sum((1, 2))
            x = (self.bias + self.logs.exp() * x) * mask
            log_det = self.logs.sum() * frames
            batch, _, time_ = x.shape
            grouped = x.view(batch, 2, channels // config.n_split, config.n_split // 2, time_)
            grouped = grouped.permute(0, 1, 3, 2, 4).reshape(batch, config.n_split, channels // config.n_split, time_)
            log_det = log_det + torch.linalg.slogdet(self.mixer).logabsdet * (channels / config.n_split) * frames
            grouped = F.conv2d(grouped, self.mixer[:, :, None, None])
            grouped = grouped.view(batch, 2, config.n_split // 2, channels // config.n_split, time_)
            x = grouped.permute(0, 1, 3, 2, 4).reshape(batch, channels, time_) * mask
            kept, moved = x.chunk(2, 1)
            hidden, skip = self.start(kept) * mask, torch.zeros(())
            for inner, mix in zip(self.inner, self.mix, strict=True):
                filtered, gate = inner(hidden).chunk(2, 1)
                mixed = mix(self.dropout(torch.tanh(filtered) * torch.sigmoid(gate)))
                if mixed.shape[1] > width:
                    hidden = (hidden + mixed[:, :width]) * mask
                skip = skip + mixed[:, -width:]
            shift, log_scale = self.end(skip * mask).chunk(2, 1)
            moved = (shift + log_scale.exp() * moved) * mask
            return torch.cat([kept, moved], 1), log_det + (log_scale * mask).sum((1, 2))

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList(Block() for _ in range(config.n_blocks))
            self.squeeze = None  # asked for by the model, used with pitch conditioning only

        def forward(self, x: torch.Tensor, mask: torch.Tensor, condition: Any = None) -> tuple[Any, Any]:
            batch, mels, time_ = x.shape
            half = mask[:, :, config.n_squeeze - 1 :: config.n_squeeze]
            x = x.view(batch, mels, -1, config.n_squeeze).permute(0, 3, 1, 2).reshape(batch, channels, -1) * half
            total = x.new_zeros(batch)
            for block in self.blocks:
                x, log_det = block(x, half)
                total = total + log_det
            x = x.view(batch, config.n_squeeze, mels, -1).permute(0, 2, 3, 1).reshape(batch, mels, time_)
            return x * mask, total

    return Decoder()


def measure(kind: str, preset: str, steps: int, threads: int) -> float:
    """Return the true mel frames per second that training takes in this process."""
    import numpy as np
    import torch

    from glowvox.config.preset import load_preset
    from glowvox.data.batches import LengthBuckets
    from glowvox.models.glow_tts import GlowTTS
    from glowvox.training.loop import build_optimiser

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    loaded = load_preset(preset)
    config = dataclasses.replace(loaded.glow_tts, melody=False)  # the published program has none
    rows = utterances(config.audio.frame_rate)
    model = GlowTTS(config)
    generator = np.random.default_rng(1)
    if kind == "plain":
        model.decoder = plain_decoder(config)
        order = generator.permutation(len(rows))
        batches = [order[start : start + BATCH].tolist() for start in range(0, len(rows) - BATCH + 1, BATCH)]
    else:
        mean = sum(frames for frames, _ in rows) / len(rows)
        batches = LengthBuckets([row[0] for row in rows], max_frames=int(BATCH * mean), seed=0).batches(0)
    optimiser = build_optimiser(model, loaded.training)
    model.train()

    def step(index: int) -> int:
        chosen = [rows[place] for place in batches[index % len(batches)]]
        frames, tokens = torch.tensor(chosen).T
        text = torch.randint(0, config.n_symbols, (len(chosen), int(tokens.max())))
        mel = torch.randn(len(chosen), config.audio.n_mels, int(frames.max())) * 2 - 5
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=kind != "plain", cache_enabled=False):
            out = model(text, tokens, mel, frames)
        energy = 0.5 * ((out.latent - out.mean).square() * out.mel_mask).sum() - out.log_det.sum()
        duration = (out.log_duration - out.log_duration_target).square().sum() / tokens.sum()
        (energy / (frames.sum() * config.audio.n_mels) + duration).backward()
        optimiser.step()
        return int(frames.sum())

    step(0)
    began = time.perf_counter()
    done = sum(step(index) for index in range(1, steps + 1))
    return done / (time.perf_counter() - began)


def _in_process(queue: Any, arguments: tuple[Any, ...]) -> None:
    queue.put(measure(*arguments))


def main() -> None:
    """Measure both kinds, each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=["glow-tts-base", "glow-tts-small"])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    context, figures = multiprocessing.get_context("spawn"), {}
    for preset in args.presets:
        found = {}
        for kind in ("plain", "glowvox"):
            queue = context.Queue()
            process = context.Process(target=_in_process, args=(queue, (kind, preset, args.steps, args.threads)))
            process.start()
            found[kind] = queue.get()
            process.join()
        figures[preset] = found | {"ratio": found["glowvox"] / found["plain"]}
    if args.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'preset':16} {'plain, frames/s':>16} {'glowvox, frames/s':>18} {'ratio':>6}")
    for preset, row in figures.items():
        print(f"{preset:16} {row['plain']:16,.0f} {row['glowvox']:18,.0f} {row['ratio']:6.2f}")


if __name__ == "__main__":
    main()
