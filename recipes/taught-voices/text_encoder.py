"""Train the text encoder of a Glow-TTS alone, durations and pitch together with the means, while its flow stays.

python recipes/taught-voices/text_encoder.py targets RUN DATA... -o targets.npz
python recipes/taught-voices/text_encoder.py train RUN targets.npz... -o MODEL --minutes 30

The flow gives each frame its latent once and for all, the alignment each token its frames. With a prior of unit
variance the likelihood of a token's n frames is that of their mean, n |mean - mu|^2 / 2 and a constant, so one mean
latent of each token is all that an epoch reads: it costs a quarter of an epoch of the whole model.
"""

import argparse
import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.checkpoint.model_folder import load_model, read_card, save_model
from glowvox.data.prepared import PreparedData
from glowvox.models.glow_tts import GlowTTS
from glowvox.training.loop import uses_bfloat16
from glowvox.training.utterances import encode_clips, stored_text

EMA_DECAY = 0.999
GRADIENT_NORM = 1.0
WARMUP = 50

_IN_BFLOAT16 = uses_bfloat16("auto", torch.device("cpu"))


@dataclass(frozen=True)
class Utterance:
    """What one utterance teaches: tokens `[L]`, frames `[L]`, mean latent `[M, L]`, height and voicing `[2, L]`."""

    tokens: Tensor
    frames: Tensor
    latent: Tensor
    pitch: Tensor
    speaker: int


@dataclass(frozen=True)
class Errors:
    """Mean losses of a batch: nats per mel value, squared log frames, squared height, nats of voicing."""

    likelihood: Tensor
    durations: Tensor
    height: Tensor
    voicing: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.likelihood + self.durations + self.height + self.voicing


def acoustic_model(run: Path) -> GlowTTS:
    """Return an acoustic model with pitch conditioning and unit variance."""
    model = load_model(run)
    if not isinstance(model, GlowTTS) or model.melody is None or not model.config.mean_only:
        raise SystemExit(f"{run}: is no Glow-TTS with pitch conditioning and a prior of unit variance")
    return model.eval()


def write_targets(run: Path, folders: list[Path], output: Path) -> None:
    """Analyse every clip of prepared data with the model."""
    model, contract = acoustic_model(run), stored_text(run)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in ("tokens", "frames", "latent", "pitch")}
    lengths, speakers, held_out = [], [], []
    for folder in folders:
        data = PreparedData(folder)
        for split in ("validation", "train"):
            for utterance in encode_clips(data.clips(split), contract, model.config.n_squeeze):
                tokens = torch.tensor([utterance.tokens])
                mel = torch.from_numpy(np.array(utterance.clip.load()[1]))[None]
                speaker = torch.tensor([utterance.speaker]) if model.config.n_speakers > 1 else None
                with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=_IN_BFLOAT16):
                    found = model(tokens, torch.tensor([tokens.shape[1]]), mel, torch.tensor([mel.shape[2]]), speaker)
                frames = found.alignment[0].float().sum(1)
                mean = found.latent[0].float() @ found.alignment[0].float().T / frames
                columns["tokens"].append(np.array(utterance.tokens, np.int16))
                columns["frames"].append(frames.numpy().astype(np.int16))
                columns["latent"].append(mean.numpy().astype(np.float16))
                columns["pitch"].append(found.melody_target[0].float().numpy().astype(np.float16))
                lengths.append(tokens.shape[1])
                speakers.append(utterance.speaker)
                held_out.append(split == "validation")
                if len(lengths) % 500 == 0:
                    print(f"{len(lengths)} utterances", flush=True)
    joined = {name: np.concatenate(arrays, -1) for name, arrays in columns.items()}
    np.savez(output, lengths=lengths, speakers=speakers, held_out=held_out, **joined)


def read_targets(path: Path) -> tuple[list[Utterance], list[Utterance]]:
    """Return the utterances to learn from and those held out."""
    kept = np.load(path)
    arrays = {name: kept[name] for name in kept.files}
    learned: list[Utterance] = []
    held_out: list[Utterance] = []
    ends = np.cumsum(arrays["lengths"])
    for number, (begin, end) in enumerate(zip(ends - arrays["lengths"], ends, strict=True)):
        utterance = Utterance(
            torch.from_numpy(arrays["tokens"][begin:end].astype(np.int64)),
            torch.from_numpy(arrays["frames"][begin:end].astype(np.float32)),
            torch.from_numpy(arrays["latent"][:, begin:end].astype(np.float32)),
            torch.from_numpy(arrays["pitch"][:, begin:end].astype(np.float32)),
            int(arrays["speakers"][number]),
        )
        (held_out if arrays["held_out"][number] else learned).append(utterance)
    return learned, held_out


def batches(utterances: list[Utterance], size: int, seed: int) -> Iterator[list[Utterance]]:
    """Yield batches of utterances about equally long, epoch after epoch."""
    generator = np.random.default_rng(seed)
    while True:
        order = generator.permutation(len(utterances))
        wide = 20 * size
        blocks = [
            sorted(order[i : i + wide], key=lambda n: len(utterances[n].tokens)) for i in range(0, len(order), wide)
        ]
        epoch = [block[i : i + size] for block in blocks for i in range(0, len(block), size)]
        for number in generator.permutation(len(epoch)):
            yield [utterances[n] for n in epoch[number]]


def errors(model: GlowTTS, batch: list[Utterance]) -> tuple[Errors, Tensor, Tensor]:
    """Return the losses of a batch, the predicted heights `[B, L]` and the predicted log frames `[B, L]`."""
    longest = max(len(one.tokens) for one in batch)

    def padded(name: str) -> Tensor:
        rows = [getattr(one, name) for one in batch]
        return torch.stack([F.pad(row, (0, longest - row.shape[-1])) for row in rows])

    tokens, frames, latent, pitch = (padded(name) for name in ("tokens", "frames", "latent", "pitch"))
    speaker = torch.tensor([one.speaker for one in batch]) if model.config.n_speakers > 1 else None
    text = model.encode(tokens, torch.tensor([len(one.tokens) for one in batch]), speaker)
    assert text.melody is not None
    mask, count = text.mask[:, 0], text.mask.sum()
    height, odds = text.melody.float().unbind(1)
    off = text.log_duration - torch.log(frames.clamp_min(1.0))
    return (
        Errors(
            0.5 * ((text.mean - latent).square() * frames[:, None]).sum() / (frames.sum() * latent.shape[1]),
            (off.square() * mask).sum() / count,
            ((height - pitch[:, 0]).square() * pitch[:, 1] * mask).sum() / count,
            (F.binary_cross_entropy_with_logits(odds, pitch[:, 1], reduction="none") * mask).sum() / count,
        ),
        height,
        text.log_duration,
    )


def validate(model: GlowTTS, held_out: list[Utterance]) -> str:
    """Return a line of figures: losses, correlation of voiced pitch within an utterance, error of durations."""
    model.encoder.eval()
    frame = 1e3 / model.config.audio.frame_rate
    losses, correlations, off = [], [], []
    with torch.inference_mode():
        for one in held_out:
            loss, height, log_duration = errors(model, [one])
            losses.append([float(loss.likelihood), float(loss.durations), float(loss.height), float(loss.voicing)])
            voiced = one.pitch[1] > 0.5
            if voiced.sum() > 2:
                pair = torch.stack([height[0][voiced], one.pitch[0][voiced]])
                correlations.append(float(torch.corrcoef(pair)[0, 1]))
            off.append(float((log_duration[0].exp() - one.frames).abs().mean()) * frame)
    model.encoder.train()
    likelihood, durations, height_loss, voicing = np.mean(losses, 0)
    return (
        f"likelihood {likelihood:.4f} durations {durations:.4f} height {height_loss:.4f} voicing {voicing:.4f} "
        f"pitch correlation {np.nanmean(correlations):.3f} duration error {np.mean(off):.2f} ms"
    )


def train(run: Path, targets: list[Path], output: Path, *, minutes: float, learning_rate: float, batch: int) -> None:
    """Train the encoder and write the model, its weights averaged over the last thousand steps or so."""
    torch.manual_seed(0)
    model, card = acoustic_model(run), read_card(run)
    learned: list[Utterance] = []
    held_out: list[Utterance] = []
    for path in targets:
        more, others = read_targets(path)
        learned, held_out = learned + more, held_out + others
    encoder = model.encoder
    encoder.predictor_gradient = 1.0
    parameters = list(encoder.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    average = copy.deepcopy(encoder.state_dict())
    print(f"{len(learned)} utterances, {len(held_out)} held out; {validate(model, held_out)}", flush=True)
    encoder.train()
    began, step = time.monotonic(), 0
    for items in batches(learned, batch, seed=0):
        share = (time.monotonic() - began) / (60 * minutes)
        if share >= 1:
            break
        rate = learning_rate * min(1.0, (step + 1) / WARMUP) * (0.01 + 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=_IN_BFLOAT16):
            loss, _, _ = errors(model, items)
        optimiser.zero_grad()
        loss.total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM)
        optimiser.step()
        step += 1
        with torch.no_grad():
            for name, value in encoder.state_dict().items():
                average[name].lerp_(value, 1 - min(EMA_DECAY, (step + 1) / (step + 10)))
        if step % 200 == 0:
            print(f"step {step} {time.monotonic() - began:.0f} s, {validate(model, held_out)}", flush=True)
    encoder.load_state_dict(average)
    print(f"step {step}, the average: {validate(model, held_out)}", flush=True)
    save_model(model.eval(), output, provenance=dict(card.provenance), steps=card.steps)


def main() -> None:
    """Make targets, or train with them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("targets", "train"):
        command = commands.add_parser(name)
        command.add_argument("run", type=Path)
        command.add_argument("sources", type=Path, nargs="+", help="prepared data, or targets")
        command.add_argument("-o", "--output", type=Path, required=True)
    command.add_argument("--minutes", type=float, default=30.0)
    command.add_argument("--learning-rate", type=float, default=5e-4)
    command.add_argument("--batch", type=int, default=12)
    args = parser.parse_args()
    if args.command == "targets":
        write_targets(args.run, args.sources, args.output)
    else:
        train(
            args.run,
            args.sources,
            args.output,
            minutes=args.minutes,
            learning_rate=args.learning_rate,
            batch=args.batch,
        )


if __name__ == "__main__":
    main()
