"""The published model on a GPU: speaking and training, against the plain module, in one run.

Speaking: `waveglow-256` with random weights, from a latent that lies on the host to samples that do. The plain module
runs eagerly, in float32 (as the published program) and under autocast; this project's engine replays CUDA graphs with
fused kernels. Training: steps of 24 segments of 62 frames with AdamW, the plain module under autocast, this project's
without and with replayed couplings. Every variant's samples are compared with those of the plain float32 module.

    python benchmarks/gpu.py [--device cuda] [--frames 1720] [--segments 24] [--rounds 10] [--json]

`--device cpu --quick` tries the script itself on a machine without a GPU, with few channels.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from train_vocoder import SAMPLES, plain_waveglow
from waveglow_256 import copy_weights, plain_inverse, random_model

Speak = Callable[[Any, Any], Any]


def _wait(device: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _seconds(call: Callable[[], Any], device: Any, rounds: int) -> float:
    """Return the median of the rounds, after three that do not count."""
    taken = []
    for number in range(rounds + 3):
        _wait(device)
        begun = time.perf_counter()
        call()
        _wait(device)
        if number >= 3:
            taken.append(time.perf_counter() - begun)
    return float(np.median(taken))


def speakers(config: Any, device: Any) -> dict[str, Speak]:
    """Return what is measured: latent [1, G, N] and mel [1, M, T] in NumPy to samples [1, S] in NumPy, by name."""
    import torch

    from glowvox.engines.torch_engine import TorchVocoder

    model = random_model(config)
    plain = plain_waveglow(config).eval()
    copy_weights(model, plain)
    plain = plain.to(device)
    inverse = plain_inverse(plain, config)

    def plainly(dtype: Any) -> Speak:
        def run(latent: Any, mel: Any) -> Any:
            half = torch.autocast(device.type, dtype) if dtype is not None else nullcontext()
            with torch.inference_mode(), half:
                given = torch.from_numpy(latent).to(device), torch.from_numpy(mel).to(device)
                return inverse(*given).float().cpu().numpy()

        return run

    found = {"plain module, float32": plainly(None), "plain module, autocast": plainly(torch.bfloat16)}
    for dtype in ("float32", "bfloat16", "float16") if device.type == "cuda" else ("float32", "bfloat16"):
        found[f"glowvox, {dtype}"] = TorchVocoder(model, device=str(device), dtype=dtype).run
    return found


def speaking(config: Any, device: Any, frames: int, rounds: int) -> list[dict[str, Any]]:
    """Return the samples per second of each way to speak, and its signal-to-noise ratio."""
    generator = np.random.default_rng(0)
    mel = generator.normal(-5, 2, (1, config.audio.n_mels, frames)).astype(np.float32)
    latent = (0.6 * generator.standard_normal((1, config.n_group, frames * config.groups_per_frame))).astype(np.float32)
    rows: list[dict[str, Any]] = []
    wanted: Any = None
    for name, speak in speakers(config, device).items():
        samples = np.asarray(speak(latent, mel), np.float64)
        wanted = samples if wanted is None else wanted
        noise = float(np.square(samples - wanted).sum())
        seconds = _seconds(lambda speak=speak: speak(latent, mel), device, rounds)
        rows.append(
            {
                "variant": name,
                "samples_per_second": samples.size / seconds,
                "snr_db": None if noise == 0 else float(10 * np.log10(np.square(wanted).sum() / noise)),
            }
        )
    return rows


def training(config: Any, options: Any, device: Any, segments: int, rounds: int) -> list[dict[str, Any]]:
    """Return the samples per second of each way to train."""
    import torch

    from glowvox.cuda.attach import attach_kernels
    from glowvox.cuda.captured_couplings import capture_couplings
    from glowvox.models.waveglow import WaveGlow
    from glowvox.training.loop import build_optimiser

    audio = 0.1 * torch.randn(segments, SAMPLES, device=device)
    mel = torch.randn(segments, config.audio.n_mels, SAMPLES // config.audio.hop_length, device=device) - 5
    rows = []
    ways = ["plain module, autocast", "glowvox", *(["glowvox, replayed"] if device.type == "cuda" else [])]
    for name in ways:
        torch.manual_seed(0)
        plain = name.startswith("plain")
        model = (plain_waveglow(config) if plain else WaveGlow(config)).to(device).train()
        optimiser = build_optimiser(model, options)

        def loss(model: Any = model, *, plain: bool = plain) -> Any:
            return model(audio, mel) if plain else -model.log_likelihood(audio, mel).sum() / audio.numel()

        def step(model: Any = model, optimiser: Any = optimiser, loss: Any = loss) -> None:
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16, cache_enabled=False):
                value = loss()
            value.backward()
            optimiser.step()

        if not plain and device.type == "cuda":
            attach_kernels(model)
        if name.endswith("replayed"):
            with torch.autocast(device.type, torch.bfloat16, cache_enabled=False):
                capture_couplings(model, lambda model=model: model(audio, mel))
        rows.append({"variant": name, "samples_per_second": audio.numel() / _seconds(step, device, rounds)})
        del model, optimiser
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=1720, help="mel frames to speak (default: %(default)s, 20 s)")
    parser.add_argument("--segments", type=int, default=24, help="segments in a training batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="few channels and steps, to try the script")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is not installed: pip install '.[train]'")
    from glowvox.config.preset import load_preset

    if args.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("no CUDA device is here; `--device cpu --quick` tries the script")
    device = torch.device(args.device)
    preset = load_preset("waveglow-256")
    config, frames, segments, rounds = preset.waveglow, args.frames, args.segments, args.rounds
    if args.quick:
        config = replace(config, n_flows=4, n_channels=16, n_skip_channels=16, n_layers=2)
        frames, segments, rounds = 20, 1, 1
    told = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "speaking": speaking(config, device, frames, rounds),
        "training": training(config, preset.training, device, segments, rounds),
    }
    if args.json:
        print(json.dumps(told, indent=2))
        return
    print(told["device"])
    for part in ("speaking", "training"):
        print(f"{part:<28}{'samples/s':>14}{'x plain':>9}{'SNR dB':>9}")
        base = told[part][0]["samples_per_second"]
        for row in told[part]:
            snr = "" if row.get("snr_db") is None else f"{row['snr_db']:.1f}"
            rate = row["samples_per_second"]
            print(f"{row['variant']:<28}{rate:>14,.0f}{rate / base:>9.2f}{snr:>9}")


if __name__ == "__main__":
    main()
