"""Teach a small model what a large one does.

python recipes/taught-voices/student.py acoustic PRESET TEACHER --texts texts.csv --data DATA -o MODEL --minutes 90
python recipes/taught-voices/student.py decoder PRESET TEACHER --init-from MODEL --texts texts.csv --data DATA -o MODEL
python recipes/taught-voices/student.py encoder PRESET TEACHER --init-from MODEL --texts texts.csv -o MODEL
python recipes/taught-voices/student.py vocoder PRESET TEACHER --acoustic VOICE --texts texts.csv --data DATA -o MODEL

A flow makes one definite sound of a latent. So teacher and student are given the same latent, and the student learns
the teacher's very output, where training from recordings has to guess which noise a recording was. Every few steps it
also learns the likelihood of recordings, and stays a density of speech. Parts outside the flow that have the shapes of
the teacher's begin with its weights. TEACHER and VOICE are names of voices or model folders.
"""

import argparse
import copy
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.align.alignment import alignment_from_durations
from glowvox.audio.pitch import BINS, HarmonicSource
from glowvox.checkpoint.model_folder import load_model, read_card, save_model
from glowvox.config.preset import load_preset
from glowvox.data.batches import SegmentSampler
from glowvox.data.prepared import PreparedData
from glowvox.flows.base import diagonal_log_likelihood
from glowvox.models.glow_tts import GlowTTS, fill_last_step, predicted_durations, spread
from glowvox.models.pitch_conditioning import PitchPredictor, pitch_contour, read_pitch
from glowvox.models.text_encoder import TextStatistics
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.installed_voices import model_path
from glowvox.training.loop import uses_bfloat16
from glowvox.training.utterances import encode_clips, encode_text, stored_text
from glowvox.training.vocoder import DifferentiableRefinement, MultiResolutionLoss, sourced_latent

EMA_DECAY = 0.999
WARMUP = 100
HOTTEST = 0.4
"""Temperatures of the teacher's sentences are drawn from 0 up to this."""
LIKELIHOOD_EVERY = 4
"""Steps; twice as many for a vocoder, and for a decoder that learns alone."""
GRADIENT_NORM = 10.0
SPOKEN_FRAMES = 120_000
"""Mel frames that an acoustic model says for a vocoder."""
PASSES, TEACHERS_PASSES = 1, 3
"""Of mel refinement, after the student and after its teacher: so the student learns the others too."""
PITCH_STEPS = 1600
_IN_BFLOAT16 = uses_bfloat16("auto", torch.device("cpu"))

Figures = dict[str, float]
Step = Callable[[int], tuple[Tensor, Figures]]
"""From a step's number to its loss and to what is worth telling of it."""


def texts_of(file: Path) -> list[str]:
    """Return the texts of lines `id|text`."""
    return [line.split("|", 1)[1].strip() for line in file.read_text(encoding="utf-8").splitlines() if "|" in line]


@dataclass(frozen=True)
class Spoken:
    """What a teacher says: tokens `[B, L]`, text, latent and mel `[B, M, T]`, harmonics `[B, K, T]`, frames `[B]`."""

    tokens: Tensor
    token_lengths: Tensor
    text: TextStatistics
    latent: Tensor
    mel: Tensor
    harmonics: Tensor
    frames: Tensor


class Speaker:
    """A teacher speaks texts of about the same length together, at temperatures drawn for each."""

    def __init__(self, teacher: GlowTTS, folder: Path, texts: Sequence[str], frames: int, seed: int) -> None:
        self.teacher = teacher
        contract = stored_text(folder)
        [front_end] = contract.front_ends.values()
        self.tokens = [encode_text(text, front_end, contract.tokenizer) for text in texts]
        self._frames = frames
        self._generator = torch.Generator().manual_seed(seed)
        self._random = np.random.default_rng(seed)
        self._batches = self._endless()

    def _endless(self) -> Iterator[list[int]]:
        """Yield numbers of texts that have about as many frames together as wished, some three to a token."""
        wide = 200
        while True:
            order = self._random.permutation(len(self.tokens))
            for first in range(0, len(order), wide):
                block = sorted(order[first : first + wide], key=lambda number: len(self.tokens[number]))
                cut: list[list[int]] = [[]]
                for number in block:
                    if (len(cut[-1]) + 1) * len(self.tokens[number]) * 3.2 > self._frames and cut[-1]:
                        cut.append([])
                    cut[-1].append(int(number))
                for place in self._random.permutation(len(cut)):
                    yield cut[place]

    def texts(self) -> tuple[Tensor, Tensor]:
        """Return the tokens `[B, L]` of the next texts, and how many each has."""
        rows = [torch.tensor(self.tokens[number]) for number in next(self._batches)]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])

    @torch.no_grad()
    def say(self) -> Spoken:
        """Speak the next texts."""
        tokens, lengths = self.texts()
        teacher = self.teacher
        text = teacher.encode(tokens, lengths)
        assert text.melody is not None and teacher.melody is not None
        step = teacher.config.n_squeeze
        durations = fill_last_step(predicted_durations(text.log_duration, text.mask, 1.0, step), text.mask, step)
        frames = durations.sum(1)
        n_frames = int(frames.max())
        path = alignment_from_durations(durations, n_frames, text.mean.dtype)
        temperature = HOTTEST * torch.rand(len(tokens), 1, 1, generator=self._generator)
        mean = spread(text.mean, path)
        latent = mean + temperature * torch.randn(mean.shape, generator=self._generator)
        harmonics = teacher.melody.harmonic_features(pitch_contour(text.melody, durations, n_frames))
        mel = teacher.decode(latent, frames, None, harmonics)
        return Spoken(tokens, lengths, text, latent, mel, harmonics, frames)

    def mels(self, frames: int) -> NDArray[np.float16]:
        """Return mels `[M, T]` of at least so many frames, one after the other."""
        parts: list[NDArray[np.float16]] = []
        while sum(part.shape[1] for part in parts) < frames:
            said = self.say()
            rows = zip(said.mel, said.frames.tolist(), strict=True)
            parts += [row[:, :count].half().numpy() for row, count in rows]
        return np.concatenate(parts, 1)


def text_loss(own: TextStatistics, told: TextStatistics) -> tuple[Tensor, dict[str, Tensor]]:
    """Return how far a student's means, durations and pitch are from the teacher's, in all and in parts."""
    assert own.melody is not None and told.melody is not None
    mask, count = told.mask[:, 0], told.mask.sum()
    frames = told.log_duration.exp() * mask
    mean = ((own.mean - told.mean).square() * frames[:, None]).sum() / (frames.sum() * own.mean.shape[1])
    durations = ((own.log_duration - told.log_duration).square() * mask).sum() / count
    (height, odds), (wanted, voiced) = own.melody.float().unbind(1), told.melody.float().unbind(1)
    share = torch.sigmoid(voiced)
    heights = ((height - wanted).square() * share * mask).sum() / count
    voicing = (F.binary_cross_entropy_with_logits(odds, share, reduction="none") * mask).sum() / count
    loss = 0.5 * mean + 5 * durations + heights + 0.3 * voicing
    return loss, {"mean": mean, "durations": durations, "height": heights, "voicing": voicing}


class EncoderStudent:
    """Learns the text's statistics alone, of many more texts in the same time."""

    def __init__(self, student: GlowTTS, speaker: Speaker) -> None:
        self.student, self.speaker = student, speaker
        student.requires_grad_(requires_grad=False).eval()
        student.encoder.requires_grad_(requires_grad=True).train()
        student.encoder.predictor_gradient = 1.0

    def __call__(self, number: int) -> tuple[Tensor, Figures]:
        """Return the loss of a step."""
        tokens, lengths = self.speaker.texts()
        with torch.no_grad():
            told = self.speaker.teacher.encode(tokens, lengths)
        loss, parts = text_loss(self.student.encode(tokens, lengths), told)
        return loss, {name: float(value.detach()) for name, value in parts.items()}


class AcousticStudent:
    """Learns the mel of a latent from the teacher, the likelihood of recorded mels, and with `text` the encoder."""

    def __init__(self, student: GlowTTS, speaker: Speaker, data: Path, folder: Path, seed: int, *, text: bool) -> None:
        self.student, self.speaker, self.text = student, speaker, text
        self.likelihood_every = LIKELIHOOD_EVERY if text else 2 * LIKELIHOOD_EVERY
        self.utterances = encode_clips(PreparedData(data).clips("train"), stored_text(folder), student.config.n_squeeze)
        self._random = np.random.default_rng(seed)
        student.train()
        student.encoder.requires_grad_(text).train(text)
        with torch.no_grad():
            student.analyse(*self._recorded()[2:])  # every ActNorm sees its first batch
        student.encoder.predictor_gradient = 1.0

    def _recorded(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return tokens, their lengths, mels `[B, M, T]` and their lengths of some clips."""
        chosen = [self.utterances[n] for n in self._random.integers(0, len(self.utterances), 3)]
        step = self.student.config.n_squeeze
        mels = [torch.from_numpy(np.array(one.clip.load()[1], np.float32)).T for one in chosen]
        mels = [mel[: len(mel) // step * step] for mel in mels]
        tokens = [torch.tensor(one.tokens) for one in chosen]
        counts, lengths = (torch.tensor([len(row) for row in rows]) for rows in (tokens, mels))
        text, frames = (nn.utils.rnn.pad_sequence(rows, batch_first=True) for rows in (tokens, mels))
        return text, counts, frames.transpose(1, 2), lengths

    def __call__(self, number: int) -> tuple[Tensor, Figures]:
        """Return the loss of a step."""
        said, student = self.speaker.say(), self.student
        loss, told_of = torch.zeros(()), dict[str, Tensor]()
        if self.text:
            loss, told_of = text_loss(student.encode(said.tokens, said.token_lengths), said.text)
        mel = student.decode(said.latent, said.frames, None, said.harmonics)
        valid = (torch.arange(mel.shape[2]) < said.frames[:, None])[:, None]
        off = (mel - said.mel) * valid
        values = valid.sum() * mel.shape[1]
        absolute, squared = off.abs().sum() / values, off.square().sum() / values
        loss = loss + 3 * absolute + squared
        told_of["mel"] = absolute
        if number % self.likelihood_every == 0:
            nats = self._nats()
            loss = loss + 0.5 * nats
            told_of["nats"] = nats
        return loss, {name: float(value.detach()) for name, value in told_of.items()}

    def _nats(self) -> Tensor:
        """Return the negative log-likelihood of some recordings, nats per mel value, on the teacher's alignment."""
        tokens, counts, mel, lengths = self._recorded()
        with torch.no_grad():
            found = self.speaker.teacher(tokens, counts, mel, lengths)
        latent, log_det, _ = self.student.analyse(mel, lengths)
        prior = diagonal_log_likelihood(latent, found.mean, found.log_std, found.mel_mask)
        return -(prior + log_det).sum() / (lengths.sum() * mel.shape[1])


def learn_pitch(own: PitchPredictor, teacher: PitchPredictor, mels: Callable[[int], Tensor], steps: int) -> None:
    """Teach a narrower pitch predictor what the teacher reads off mels `[B, M, T]`."""
    own.requires_grad_(requires_grad=True)
    optimiser = torch.optim.AdamW(own.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for number in range(steps):
        mel = mels(number)
        with torch.no_grad():
            told = teacher(mel)
        found, voiced = own(mel), torch.sigmoid(told[:, BINS])
        bins = -(told[:, :BINS].softmax(1) * found[:, :BINS].log_softmax(1)).sum(1)
        semitones = 12 * torch.log2(read_pitch(found) / read_pitch(told)).float().abs()
        pitch = ((bins + semitones.clamp_max(1.0)) * voiced).sum() / voiced.sum()
        loss = pitch + F.binary_cross_entropy_with_logits(found[:, BINS], voiced)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if number % 200 == 199:
            off = 100 * float((semitones * voiced).detach().sum() / voiced.sum())
            print(f"pitch: step {number + 1}, {off:.1f} cents off", flush=True)
    own.fitted.fill_(1.0)
    own.requires_grad_(requires_grad=False)


class VocoderStudent:
    """Learns the teacher's samples, refined, of the same noise and source, and the likelihood of recordings."""

    def __init__(
        self,
        student: WaveGlow,
        teacher: WaveGlow,
        sampler: SegmentSampler,
        mels: NDArray[np.float16],
        fft_sizes: tuple[int, ...],
        seed: int,
    ) -> None:
        assert teacher.pitch is not None and student.pitch is not None
        self.pitch = teacher.pitch
        self.student, self.teacher, self.sampler, self.mels = student, teacher, sampler, mels
        audio = student.config.audio
        self.spectral = MultiResolutionLoss(audio, fft_sizes)
        self.own, self.theirs = (DifferentiableRefinement(audio, count) for count in (PASSES, TEACHERS_PASSES))
        self.source = HarmonicSource(audio.sample_rate, audio.hop_length)
        self._generator = torch.Generator().manual_seed(seed)
        self._random = np.random.default_rng(seed)
        if student.config.pitch_channels != teacher.config.pitch_channels:
            learn_pitch(student.pitch, self.pitch, self._mels, PITCH_STEPS)
        student.train()
        with torch.no_grad():
            student(*self._segments(0))

    def _segments(self, number: int) -> tuple[Tensor, Tensor]:
        batch = self.sampler.batch(number)
        return torch.from_numpy(batch.samples), torch.from_numpy(batch.mel)

    def _mels(self, number: int) -> Tensor:
        """Return recorded mels, and as many that the acoustic model says."""
        recorded = self._segments(number)[1]
        frames = recorded.shape[2]
        starts = self._random.integers(0, self.mels.shape[1] - frames, len(recorded))
        spoken = np.stack([self.mels[:, at : at + frames] for at in starts]).astype(np.float32)
        return torch.cat([recorded, torch.from_numpy(spoken)])

    def __call__(self, number: int) -> tuple[Tensor, Figures]:
        """Return the loss of a step."""
        mel, teacher, student = self._mels(number), self.teacher, self.student
        noise = torch.randn(teacher.latent_shape(len(mel), mel.shape[2]), generator=self._generator)
        with torch.no_grad():
            latent = sourced_latent(noise, mel, self.pitch, self.source, self._generator, teacher.source_mix)
            target = self.theirs(teacher.inverse(latent, mel), mel)
        drawn = student.inverse(latent, mel)
        refined = self.own(drawn, mel)
        spectral = self.spectral(refined, target)
        wave = teacher.standardised(refined - target, mel).abs().mean()
        loss = spectral.stft + 2 * spectral.mel + 2 * wave
        told = {"stft": spectral.stft, "mel": spectral.mel, "wave": wave}
        if number % (2 * LIKELIHOOD_EVERY) == 0:
            samples, recorded = self._segments(number)
            nats = -student.log_likelihood(samples, recorded).sum() / samples.numel()
            loss = loss + nats
            told["nats"] = nats
        return loss, {name: float(value.detach()) for name, value in told.items()}


def train(model: nn.Module, step: Step, *, minutes: float, learning_rate: float, save: Callable[[int], Any]) -> None:
    """Train for a time, the learning rate brought down along a cosine, and keep the average of the weights."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    average = copy.deepcopy(model.state_dict())
    began, number, kept, told = time.monotonic(), 0, 0, {}  # type: ignore[var-annotated]
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        rate = learning_rate * min(1.0, (number + 1) / WARMUP) * (0.005 + 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16, enabled=_IN_BFLOAT16):
            loss, figures = step(number)
        optimiser.zero_grad()
        loss.backward()
        size = float(nn.utils.clip_grad_norm_(parameters, GRADIENT_NORM))
        if math.isfinite(size):
            optimiser.step()
        number += 1
        for name, value in {**figures, "gradient": size}.items():
            told.setdefault(name, []).append(value)
        with torch.no_grad():
            for name, value in model.state_dict().items():
                if value.is_floating_point():
                    average[name].lerp_(value, 1 - min(EMA_DECAY, (number + 1) / (number + 10)))
                else:
                    average[name].copy_(value)
        if number % (100 if number > 100 else 20) == 0:
            means = " ".join(f"{name} {np.mean(values):.4f}" for name, values in told.items())
            print(f"step {number} {time.monotonic() - began:.0f} s, {means}", flush=True)
            told = {}
        if int(share * 12) > kept:
            kept = int(share * 12)
            _keep(model, average, number, save)
    _keep(model, average, number, save)


def _keep(model: nn.Module, average: dict[str, Tensor], number: int, save: Callable[[int], Any]) -> None:
    """Save the averaged weights, and go on with the present ones."""
    present = copy.deepcopy(model.state_dict())
    model.load_state_dict(average)
    save(number)
    model.load_state_dict(present)


def acoustic_student(args: argparse.Namespace, folder: Path, teacher: GlowTTS) -> tuple[nn.Module, Step]:
    """Return an acoustic student and what a step teaches it."""
    config = replace(load_preset(str(args.preset)).glow_tts, n_symbols=teacher.config.n_symbols)
    student = GlowTTS(config)
    _begin(student, teacher, ("melody",), args.init_from)
    if args.kind == "encoder":
        return student, EncoderStudent(student, Speaker(teacher, folder, texts_of(args.texts), 6000, args.seed))
    speaker = Speaker(teacher, folder, texts_of(args.texts), 1500, args.seed)
    text = args.kind == "acoustic"
    return student, AcousticStudent(student, speaker, args.data, folder, args.seed, text=text)


def vocoder_student(args: argparse.Namespace, teacher: WaveGlow) -> tuple[nn.Module, Step]:
    """Return a student of a vocoder and what a step teaches it."""
    preset = load_preset(str(args.preset))
    student = WaveGlow(preset.waveglow)
    _begin(student, teacher, ("scale", "encoder", "pitch", "source_mix"), args.init_from)
    assert student.source_mix is not None
    student.source_mix.requires_grad_(requires_grad=False)  # both are given the same source
    acoustic = model_path(args.acoustic, "acoustic")
    speaking = load_model(acoustic).eval()
    assert isinstance(speaking, GlowTTS)
    mels = Speaker(speaking, acoustic, texts_of(args.texts), 2200, args.seed).mels(SPOKEN_FRAMES)
    sampler = SegmentSampler(
        PreparedData(args.data).clips("train"),
        frames=preset.vocoder_training.segment_frames,
        batch_size=preset.training.batch_size,
        seed=args.seed,
    )
    return student, VocoderStudent(student, teacher, sampler, mels, preset.vocoder_training.fft_sizes, args.seed)


def _begin(student: nn.Module, teacher: nn.Module, parts: tuple[str, ...], before: Path | None) -> None:
    """Give the student the teacher's weights of parts with its shapes, or all that it has learned before."""
    own = student.state_dict() if before is None else load_model(before).state_dict()
    if before is None:
        for name, tensor in teacher.state_dict().items():
            if name.split(".")[0] in parts and name in own and own[name].shape == tensor.shape:
                own[name] = tensor
    student.load_state_dict(own)


def main() -> None:
    """Train a student."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("acoustic", "decoder", "encoder", "vocoder"))
    parser.add_argument("preset", type=Path, help="the student's configuration")
    parser.add_argument("teacher", help="a voice's name or a model folder")
    parser.add_argument("--acoustic", help="of a vocoder: the acoustic model whose mels it shall speak")
    parser.add_argument("--texts", type=Path, required=True, help="lines id|text")
    parser.add_argument("--data", type=Path, help="prepared recordings")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=90.0)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--init-from", type=Path, help="a student that has learned already")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    needed = {"--data": args.data or args.kind == "encoder", "--acoustic": args.acoustic or args.kind != "vocoder"}
    if missing := [name for name, given in needed.items() if not given]:
        parser.error(f"{args.kind} needs {' and '.join(missing)}")
    torch.manual_seed(args.seed)
    folder = model_path(args.teacher, "vocoder" if args.kind == "vocoder" else "acoustic")
    teacher, card = load_model(folder).eval().requires_grad_(requires_grad=False), read_card(folder)
    if isinstance(teacher, GlowTTS):
        model, step = acoustic_student(args, folder, teacher)
    else:
        assert isinstance(teacher, WaveGlow)
        model, step = vocoder_student(args, teacher)

    def save(number: int) -> None:
        provenance = {**card.provenance, "taught_by": args.teacher}
        save_model(model, args.output, provenance=provenance, steps=number, replace=True)

    train(model, step, minutes=args.minutes, learning_rate=args.learning_rate, save=save)


if __name__ == "__main__":
    main()
