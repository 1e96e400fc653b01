"""Training Glow-TTS: the likelihood of the mel under the alignment that the model finds, and its durations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.audio.griffin_lim import griffin_lim
from glowvox.audio.pitch import LOG_PITCH_STD
from glowvox.config.preset import Preset
from glowvox.config.training import AcousticTrainingConfig
from glowvox.data.batches import DEFAULT_MEMORY_LIMIT, LengthBuckets, expect, pad_mels, pad_tokens, shard_numbers
from glowvox.data.prepared import Clip, PreparedData
from glowvox.errors import DataError, TrainingError
from glowvox.flows.base import diagonal_log_likelihood
from glowvox.models.glow_tts import GlowTTS, GlowTTSOutput, check_mel, check_tokens, checked_speaker
from glowvox.training.loop import Processes, Task, TaskLoss
from glowvox.training.pitch import fit_pitch
from glowvox.training.run_folder import RunLog
from glowvox.training.start import (
    StartOptions,
    continued,
    fitted_to,
    joint_speakers,
    new_or_resumed,
    say_left_out,
    start,
    taught_by,
)
from glowvox.training.utterances import (
    TextContract,
    TrainingUtterance,
    encode_clips,
    older_run,
    older_texts,
    stored_text,
    text_contract,
)

_SEMITONES = LOG_PITCH_STD * 12 / math.log(2)


def token_pitch_losses(output: GlowTTSOutput) -> tuple[Tensor, Tensor]:
    """Return the sums over the tokens of a batch of the squared error of voiced pitch, and of voicing's cross-entropy.

    Pitch counts by the share of a token that is voiced; it is in units of `audio.pitch.LOG_PITCH_STD`.
    """
    assert output.melody is not None
    assert output.melody_target is not None
    height, odds = output.melody.unbind(1)
    target, voiced = output.melody_target.unbind(1)
    mask = output.token_mask[:, 0]
    voicing = F.binary_cross_entropy_with_logits(odds, voiced, reduction="none")
    return ((height - target).square() * voiced * mask).sum(), (voicing * mask).sum()


def token_pitch_errors(output: GlowTTSOutput) -> list[tuple[float, float]]:
    """Return one utterance's mean error of pitch in semitones, and the share of its tokens whose voicing is wrong.

    Nothing for a model without pitch conditioning, or an utterance without a voiced token.
    """
    if output.melody is None or output.melody_target is None:
        return []
    height, odds = output.melody[0]
    target, voiced = output.melody_target[0]
    if not voiced.sum() > 0:
        return []
    error = float(((height - target).abs() * voiced).sum() / voiced.sum()) * _SEMITONES
    return [(error, float(((odds > 0) != (voiced > 0.5)).float().mean()))]


_AHEAD = 64
"""Batches ahead of their reading that shards begin to be fetched."""


@dataclass(frozen=True)
class AcousticBatch:
    """Utterances on the model's device: tokens `[B, L]`, mels `[B, M, T]`, lengths and speakers `[B]`, their clips."""

    tokens: Tensor
    token_lengths: Tensor
    mel: Tensor
    mel_lengths: Tensor
    speaker: Tensor | None
    clips: tuple[Clip, ...]


class BatchOrder:
    """The endless stream of batches: batch k, whichever were asked for before.

    Args:
        buckets: divides the utterances into batches, epoch by epoch.
    """

    def __init__(self, buckets: LengthBuckets) -> None:
        self._buckets = buckets
        self._ends: list[int] = []
        self._batches: dict[int, list[list[int]]] = {}

    def batch(self, index: int) -> list[int]:
        """Return the utterances of a batch, by their numbers."""
        while not self._ends or index >= self._ends[-1]:
            count = len(self._buckets.batches(len(self._ends)))
            self._ends.append(count + (self._ends[-1] if self._ends else 0))
        epoch = int(np.searchsorted(self._ends, index, "right"))
        if epoch not in self._batches:
            # This epoch's and its neighbour's: near the end of one, both are asked for.
            near = {known: batches for known, batches in self._batches.items() if abs(known - epoch) == 1}
            self._batches = {**near, epoch: self._buckets.batches(epoch)}
        return self._batches[epoch][index - (self._ends[epoch - 1] if epoch else 0)]


class AcousticTask(Task):
    """The objective of Glow-TTS (the paper, section 3.1 and equation 8).

    Args:
        model: the acoustic model, on its device.
        config: the objective.
        training: utterances to train on.
        validation: utterances never trained on.
        batch_size: most utterances in a batch.
        seed: of the order of the batches.
        listening_clips: utterances synthesised at each validation.
        processes: this process's place among others.
    """

    def __init__(
        self,
        model: GlowTTS,
        config: AcousticTrainingConfig,
        training: Sequence[TrainingUtterance],
        validation: Sequence[TrainingUtterance],
        *,
        batch_size: int,
        seed: int,
        listening_clips: int,
        processes: Processes,
    ) -> None:
        if not validation:
            raise DataError("the data set has no validation clips; prepare it with --validation")
        self.model: nn.Module = model
        self.acoustic = model
        model.encoder.predictor_gradient = config.predictor_gradient
        self.config = config
        self.training = list(training)
        self.validation = list(validation)
        self.listening_clips = listening_clips
        self.processes = processes
        self.device = next(model.parameters()).device
        self._frame_rate = model.config.audio.frame_rate
        bytes_needed = sum(4 * utterance.clip.n_mels * utterance.clip.frames for utterance in self.training)
        self._keep_mels = bytes_needed <= DEFAULT_MEMORY_LIMIT
        self._mels: dict[int, np.ndarray] = {}
        buckets = LengthBuckets(
            [utterance.clip.frames for utterance in self.training],
            max_frames=config.frames_per_batch,
            max_items=batch_size,
            seed=seed,
            rank=processes.rank,
            world_size=processes.count,
            shards=shard_numbers([utterance.clip for utterance in self.training]),
        )
        self._order = BatchOrder(buckets)
        say_left_out(len(buckets.too_long), f"longer than a batch of {config.frames_per_batch} mel frames", processes)

    def batch(self, index: int) -> AcousticBatch:
        """Return the utterances of a batch. See `Task.batch`."""
        numbers = self._order.batch(index)
        mels = [self._mel(number) for number in numbers]
        if not self._keep_mels:
            expect(self.training[number].clip for number in self._order.batch(index + _AHEAD))
        return self._collate([self.training[number] for number in numbers], mels)

    def _mel(self, number: int) -> np.ndarray:
        """Return the mel of an utterance, kept in memory where there is room for all."""
        if number in self._mels:
            return self._mels[number]
        mel = np.array(self.training[number].clip.load()[1])
        if self._keep_mels:
            self._mels[number] = mel
        return mel

    def initialise(self, batch: AcousticBatch) -> None:
        """Let every ActNorm see the first batch. See `Task.initialise`."""
        self._forward(batch)

    def loss(self, batch: AcousticBatch, step: int, generator: torch.Generator) -> TaskLoss:
        """Return the likelihood's and the durations' losses, in nats per mel value and squared log frames."""
        sum_paths = self.config.forward_sum_weight > 0
        output = self.acoustic(
            batch.tokens, batch.token_lengths, batch.mel, batch.mel_lengths, batch.speaker, sum_paths=sum_paths
        )
        # every process divides by the mean count over all of them: averaged gradients are then those of one big batch
        values = output.mel_lengths.sum().float() * batch.mel.shape[1]
        tokens = batch.token_lengths.sum().float()
        self.processes.average([values, tokens])
        likelihood = -_log_likelihood(output).sum() / values
        durations = (output.log_duration - output.log_duration_target).square().sum() / tokens
        loss = likelihood + durations
        metrics = {"nats_per_value": likelihood.detach(), "duration_loss": durations.detach()}
        if output.melody is not None:
            height, voicing = token_pitch_losses(output)
            loss = loss + (height + voicing) / tokens
            metrics |= {"pitch_loss": height.detach() / tokens, "voicing_loss": voicing.detach() / tokens}
        if output.path_sum is not None:
            soft = -(output.path_sum + output.log_det).sum() / values
            loss = loss + self.config.forward_sum_weight * soft
            metrics["forward_sum"] = soft.detach()
        return TaskLoss(loss, metrics)

    def validate(self, step: int, log: RunLog) -> dict[str, float]:
        """Return nats per mel value, the duration error and the mel distance under the true alignment."""
        nats, values, error, tokens, distance = 0.0, 0, 0.0, 0, []
        melody: list[tuple[float, float]] = []
        for number, utterance in enumerate(self.validation):
            batch = self._collate([utterance], [np.array(utterance.clip.load()[1])])
            output = self._forward(batch)
            nats -= float(_log_likelihood(output))
            values += int(output.mel_lengths) * batch.mel.shape[1]
            predicted = output.log_duration.exp().ceil()
            error += float((predicted - output.alignment.sum(2)).abs().sum())
            tokens += len(utterance.tokens)
            distance.append(self._under_true_alignment(number, step, batch, output, log))
            melody += token_pitch_errors(output)
        frame = 1000 / self._frame_rate
        found = {
            "nats_per_value": nats / values,
            "duration_error_ms": error / tokens * frame,
            "log_mel_distance": float(np.mean(distance)),
        }
        if melody:
            found["pitch_error_semitones"], found["voicing_error"] = map(float, np.mean(melody, 0))
        return found

    def score_name(self, step: int) -> str:
        """Return `nats_per_value`. See `Task.score_name`."""
        return "nats_per_value"

    def seconds_of_audio(self, batch: AcousticBatch) -> float:
        """Return the seconds of speech in a batch. See `Task.seconds_of_audio`."""
        return float(batch.mel_lengths.sum()) / self._frame_rate

    def describe(self, batch: AcousticBatch) -> str:
        """Return the ids of a batch's clips. See `Task.describe`."""
        return ", ".join(clip.id for clip in batch.clips)

    def _forward(self, batch: AcousticBatch) -> GlowTTSOutput:
        output: GlowTTSOutput = self.acoustic(
            batch.tokens, batch.token_lengths, batch.mel, batch.mel_lengths, batch.speaker
        )
        return output

    def _under_true_alignment(
        self, number: int, step: int, batch: AcousticBatch, output: GlowTTSOutput, log: RunLog
    ) -> float:
        """Synthesise an utterance with the durations of its recording; return the distance from it in nepers."""
        made = self.acoustic.inverse(
            batch.tokens,
            batch.token_lengths,
            temperature=0.0,
            speaker=batch.speaker,
            durations=output.alignment.sum(2).long(),
        )
        frames = int(output.mel_lengths)
        mel, natural = made.mel[0, :, :frames].cpu().numpy(), batch.mel[0, :, :frames].cpu().numpy()
        if number < self.listening_clips:
            name = batch.clips[0].id
            log.picture(step, f"{name}/alignment", output.alignment[0].cpu().numpy())
            log.picture(step, f"{name}/mel", mel)
            log.picture(step, f"{name}/natural", natural)
            if number < 2:
                config = self.acoustic.config.audio
                log.audio(step, f"{name}/griffin-lim", griffin_lim(mel, config, iterations=20), config.sample_rate)
        return float(np.abs(mel - natural).mean())

    def _collate(self, utterances: Sequence[TrainingUtterance], mels: Sequence[np.ndarray]) -> AcousticBatch:
        tokens, token_lengths = pad_tokens([utterance.tokens for utterance in utterances])
        mel, mel_lengths = pad_mels(mels)
        text, text_lengths, frames, frame_lengths = map(torch.from_numpy, (tokens, token_lengths, mel, mel_lengths))
        config, speaker = self.acoustic.config, None
        check_tokens(text, text_lengths, config.n_symbols)
        check_mel(frames, frame_lengths, config.audio.n_mels)
        if config.n_speakers > 1:
            speaker = torch.tensor([utterance.speaker for utterance in utterances])
            speaker = checked_speaker(speaker, len(utterances), config.n_speakers).to(self.device)
        text, text_lengths, frames, frame_lengths = (
            part.to(self.device) for part in (text, text_lengths, frames, frame_lengths)
        )
        clips = tuple(utterance.clip for utterance in utterances)
        return AcousticBatch(text, text_lengths, frames, frame_lengths, speaker, clips)


def _log_likelihood(output: GlowTTSOutput) -> Tensor:
    """Return log p(mel | text) `[B]` in nats on the path found."""
    return diagonal_log_likelihood(output.latent, output.mean, output.log_std, output.mel_mask) + output.log_det


SPEAKER_CHANNELS = 64
"""Size of the speaker embedding where data with several speakers asks for one and the preset does not say."""


def train_acoustic(preset: Preset, folders: Sequence[Path], options: StartOptions) -> int:
    """Train an acoustic model on prepared data and return the number of steps done.

    The vocabulary and the speakers are those of the data (and, where it starts from a model of several speakers, that
    model's too); the preset's numbers of them do not matter.

    Args:
        preset: model and training configuration.
        folders: prepared data sets, trained on together.
        options: where, and from what.

    Raises:
        GlowvoxError: the data does not fit the model, or the run cannot start.
    """
    options = continued(options)
    data = [PreparedData(folder) for folder in folders]
    for part in data:
        part.require(preset.glow_tts.audio)
    contract, source = _contracts(data, options)
    speakers = len(contract.speakers)
    channels = (preset.glow_tts.speaker_channels or SPEAKER_CHANNELS) if speakers > 1 else 0
    config = replace(preset.glow_tts, n_symbols=len(contract.tokenizer), n_speakers=speakers, speaker_channels=channels)
    preset = replace(preset, glow_tts=config)
    options.begins("reading the texts", "clips")
    training, validation = (
        encode_clips([clip for part in data for clip in part.clips(split)], contract, config.n_squeeze)
        for split in ("train", "validation")
    )

    def make_task(model: nn.Module, processes: Processes) -> Task:
        assert isinstance(model, GlowTTS)
        if model.melody is not None and not options.resume:
            fit_pitch(
                model.melody.reader,
                [utterance.clip for utterance in training],
                config.audio.sample_rate,
                seed=preset.training.seed,
                steps=preset.acoustic_training.pitch_steps,
                begins=options.begins,
            )
        return AcousticTask(
            model,
            preset.acoustic_training,
            training,
            validation,
            batch_size=preset.training.batch_size,
            seed=preset.training.seed,
            listening_clips=preset.training.validation_clips,
            processes=processes,
        )

    hours = sum(part.hours("train") for part in data)
    names = [folder.name for folder in folders]
    provenance = {**taught_by(data), "data": names, "hours": hours, "text": contract.to_dict()}
    fit = None if source is None else fitted_to(source, contract)
    notes = (*older_texts(data), *(older_run(options.run) if options.resume else ()))
    return start(preset, options, make_task, provenance, fit, notes=notes)


def _contracts(data: Sequence[PreparedData], options: StartOptions) -> tuple[TextContract, TextContract | None]:
    """Return what the model shall know of text and speakers, and what the model that it starts from knows."""
    contract = text_contract(data)
    new_or_resumed(options)
    if options.resume:
        before = stored_text(options.run)
        unknown = sorted(set(contract.speakers) - set(before.speakers))
        if unknown:
            raise TrainingError(
                f"{options.run} does not know the speaker '{unknown[0]}'; start a new run with --init-from and this one"
            )
        return replace(contract, speakers=before.speakers), None
    if options.init_from is None:
        return contract, None
    source = stored_text(options.init_from)
    return replace(contract, speakers=joint_speakers(contract.speakers, source.speakers)), source
