"""The published model on a CPU: every engine of this project against the plain float32 module, in one run.

The plain module is what the published program does: `conv1d` on [channels, time] with weight norm and a summed skip.
All variants have the same random weights, latent and mel; rounds go over all of them in turn, so that a busy machine is
busy for all. The signal-to-noise ratio is that of a variant's samples against the plain module's; the shift of the
log-likelihood is that of bfloat16 couplings, on the recording that GLOWVOX_SHARED has, or on made-up speech. The ONNX
engine cuts every window into pieces of a size of its own; steps are those of a stream.

    python benchmarks/waveglow_256.py [--frames 258] [--rounds 3] [--threads 2] [--json]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from train_vocoder import plain_waveglow


def plain_inverse(plain: Any, config: Any) -> Callable[[Any, Any], Any]:
    """Return the inverse of the plain module: latent [1, G, N] and mel [1, M, T] to samples [1, S]."""
    import torch

    inverses = [torch.linalg.inv(mixer.detach()).unsqueeze(2) for mixer in plain.mixers]

    def inverse(latent: Any, mel: Any) -> Any:
        group, length = config.n_group, latent.shape[2] * config.n_group
        side = plain.upsample(mel)[:, :, :length].unfold(2, group, group)
        side = side.permute(0, 2, 1, 3).reshape(len(mel), side.shape[2], -1).transpose(1, 2)
        sizes = [config.n_early_size] * len(config.early_exits)
        *early, x = latent.split([*sizes, config.remaining_channels], 1)
        for index in reversed(range(config.n_flows)):
            kept, moved = x.chunk(2, 1)
            shift, log_scale = plain.networks[index](kept, side).chunk(2, 1)
            x = torch.cat([kept, (moved - shift) * (-log_scale).exp()], 1)
            x = torch.nn.functional.conv1d(x, inverses[index])
            if index in config.early_exits:
                x = torch.cat([early.pop(), x], 1)
        return x.permute(0, 2, 1).reshape(len(x), -1)

    return inverse


def random_model(config: Any) -> Any:
    """Return a model whose couplings are random but tame, so that twelve of them neither vanish nor explode."""
    import torch

    from glowvox.models.waveglow import WaveGlow

    torch.manual_seed(0)
    model = WaveGlow(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".end." in name:
                parameter.normal_(0.0, 0.02)
    return model


def copy_weights(model: Any, plain: Any) -> None:
    """Give the plain module the model's weights."""
    import torch

    def convolution(target: Any, source: Any) -> None:
        target.weight = source.weight.detach()  # weight norm splits it into direction and length
        target.bias.copy_(source.bias)

    with torch.no_grad():
        plain.upsample.weight.copy_(model.upsample.weight)
        plain.upsample.bias.copy_(model.upsample.bias)
        for index, step in enumerate(model.steps):
            plain.mixers[index].copy_(step.convolution.weight)
            network, stack = plain.networks[index], step.coupling.network
            convolution(network.start, stack.start)
            convolution(network.condition, stack.condition)
            for place, layer in enumerate(stack.layers):
                convolution(network.dilated[place], layer.dilated)
                convolution(network.mix[place], layer.mix)
            network.end.weight.copy_(stack.end.weight)
            network.end.bias.copy_(stack.end.bias)


def stepped(engine: Any, chunk: int) -> Callable[[Any, Any], Any]:
    """Return a call that takes the window as a stream, in steps of `chunk` frames."""

    def run(latent: Any, mel: Any) -> Any:
        state, place, pieces, columns = engine.begin(), 0, [], engine.groups_per_frame
        ends = [*range(engine.delay + chunk, mel.shape[2] - chunk // 2, chunk), mel.shape[2]]
        for end in ends:
            part = latent[:, :, place * columns : end * columns], mel[:, :, place:end]
            samples, state = engine.step(*part, state, final=end == mel.shape[2])
            pieces.append(samples)
            place = end
        return np.concatenate(pieces, 1)

    return run


def variants(model: Any, folder: Path, threads: int, chunks: list[int]) -> dict[str, Callable[[Any, Any], Any]]:
    """Return what is measured, by name."""
    import torch

    from glowvox.checkpoint.model_folder import ModelCard
    from glowvox.engines.choose import installed_engines
    from glowvox.engines.onnx_engine import OnnxVocoder
    from glowvox.engines.torch_engine import TorchVocoder
    from glowvox.export.export_model import graph_cards, write_graphs

    plain = plain_waveglow(model.config).eval()
    copy_weights(model, plain)
    inverse = plain_inverse(plain, model.config)

    def plain_run(latent: Any, mel: Any) -> Any:
        with torch.inference_mode():
            return inverse(torch.from_numpy(latent), torch.from_numpy(mel)).numpy()

    found: dict[str, Callable[[Any, Any], Any]] = {"plain module, float32": plain_run}
    for dtype in ("float32", "bfloat16"):
        found[f"torch, {dtype}"] = TorchVocoder(model, threads=threads, dtype=dtype).run
    write_graphs(model, graph_cards(model, ModelCard(model.config)), folder, "float32")
    engines: dict[str, Any] = {"onnx, float32": OnnxVocoder.load(folder, threads=threads)}
    if "openvino" in installed_engines():
        from glowvox.engines.openvino_engine import OpenVinoVocoder

        for precision in ("float32", "bfloat16"):
            engines[f"openvino, {precision}"] = OpenVinoVocoder.load(folder, threads=threads, precision=precision)
    for name, engine in engines.items():
        found[name] = engine.run
        for chunk in chunks:
            found[f"{name}, steps of {chunk} frames"] = stepped(engine, chunk)
    return found


def likelihood_shift(model: Any) -> float:
    """Return by how many nats per sample bfloat16 couplings move the log-likelihood of two seconds of speech."""
    import torch

    from glowvox.audio.files import read_audio
    from glowvox.audio.mel import MelTransform

    audio = model.config.audio
    shared = Path(os.environ.get("GLOWVOX_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    recording = next(
        iter(sorted((shared / "speech").rglob("*.flac")) + sorted((shared / "speech").rglob("*.wav"))), None
    )
    length = 172 * audio.hop_length
    samples = np.sin(np.arange(length) * 0.05 * (1 + 0.2 * np.sin(np.arange(length) / 3000))).astype(np.float32) * 0.1
    if recording is not None:
        samples = read_audio(recording, audio.sample_rate)[0][:length]
    samples = samples[: len(samples) // audio.hop_length * audio.hop_length]
    mel = MelTransform(audio)(samples)[:, : len(samples) // audio.hop_length]
    given = torch.from_numpy(samples)[None], torch.from_numpy(np.ascontiguousarray(mel, np.float32))[None]
    with torch.inference_mode():
        exact = model.log_likelihood(*given)
        with torch.autocast("cpu", torch.bfloat16):
            half = model.log_likelihood(*given)
    return float((half - exact).abs().max()) / len(samples)


def measure(frames: int, rounds: int, threads: int, chunks: list[int]) -> dict[str, Any]:
    """Return the figures of all variants."""
    import torch

    from glowvox.config.preset import load_preset

    torch.set_num_threads(threads)
    config = load_preset("waveglow-256").waveglow
    model = random_model(config)
    generator = np.random.default_rng(0)
    mel = generator.normal(-5, 2, (1, config.audio.n_mels, frames)).astype(np.float32)
    latent = (0.6 * generator.standard_normal((1, config.n_group, frames * config.groups_per_frame))).astype(np.float32)
    seconds = frames * config.audio.hop_length / config.audio.sample_rate
    with tempfile.TemporaryDirectory() as place:
        calls = variants(model, Path(place), threads, chunks)
        taken: dict[str, list[float]] = {name: [] for name in calls}
        outputs = {}
        for round_number in range(rounds + 1):
            for name, call in calls.items():
                begun = time.perf_counter()
                outputs[name] = call(latent, mel)
                if round_number:
                    taken[name].append(time.perf_counter() - begun)
    plain_name = next(iter(calls))
    wanted, base = outputs[plain_name].astype(np.float64), float(np.median(taken[plain_name]))
    rows = []
    for name, times in taken.items():
        noise = float(np.square(outputs[name] - wanted).sum())
        snr = None if name == plain_name else 10 * np.log10(np.square(wanted).sum() / max(noise, 1e-30))
        middle = float(np.median(times))
        rows.append({"variant": name, "rtf": middle / seconds, "times_plain": base / middle, "snr_db": snr})
    return {
        "frames": frames,
        "threads": threads,
        "rounds": rounds,
        "variants": rows,
        "likelihood_shift_nats_per_sample": likelihood_shift(model),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=258)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--chunks", type=int, nargs="*", default=[32])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = measure(args.frames, args.rounds, args.threads, args.chunks)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    print(f"{'variant':<40}{'RTF':>9}{'x plain':>9}{'SNR dB':>9}")
    for row in told["variants"]:
        snr = "" if row["snr_db"] is None else f"{row['snr_db']:.1f}"
        print(f"{row['variant']:<40}{row['rtf']:>9.3f}{row['times_plain']:>9.2f}{snr:>9}")
    print(f"log-likelihood with bfloat16: moves by {told['likelihood_shift_nats_per_sample']:.5f} nats per sample")


if __name__ == "__main__":
    main()
