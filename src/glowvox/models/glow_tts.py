"""Glow-TTS (arXiv 2005.11129): text to mel spectrogram by a flow and a monotonic alignment that it finds itself."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from glowvox.align.alignment import alignment_from_durations, forward_sum, monotonic_alignment_search
from glowvox.align.prior import filled_frames, position_noise, predicted_frames
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import ConfigError, MelError, TextError, VoiceError
from glowvox.flows.base import LOG_TWO_PI, diagonal_log_likelihood
from glowvox.models.glow_tts_decoder import GlowTTSDecoder
from glowvox.models.pitch_conditioning import PitchConditioning, fitted_pitch, pitch_contour, token_pitch
from glowvox.models.text_encoder import TextEncoder, TextStatistics
from glowvox.nn.streaming import PieceState

Length = TypeVar("Length", int, Tensor)


@dataclass(frozen=True)
class GlowTTSOutput:
    """What training needs. T is cut to a multiple of the decoder's squeeze; padding is zero everywhere.

    Attributes:
        latent: [B, M, T].
        log_det: [B], of the map from mel to latent.
        mean: [B, M, T], the text's mean spread over the frames by the alignment.
        log_std: [B, M, T], the text's log standard deviation, likewise.
        alignment: [B, L, T], ones on the most likely path; without gradient.
        log_duration: [B, L], predicted log frames per token.
        log_duration_target: [B, L], log(1e-8 + frames per token on the path).
        melody: [B, 2, L], predicted height (`audio.pitch.pitch_contour`) and log odds of voicing; None without pitch
            conditioning.
        melody_target: [B, 2, L], height and voiced share of each token on the path; None without pitch conditioning.
        pitch: [B, T] Hz, read off the mel, 0 where unvoiced; None without pitch conditioning.
        text_mean: [B, M, L].
        text_log_std: [B, M, L].
        token_mask: [B, 1, L].
        mel_mask: [B, 1, T].
        mel_lengths: [B], frames after the cut.
        path_sum: [B] nats, the log-likelihood of the latent summed over all monotonic paths; None unless asked for.
    """

    latent: Tensor
    log_det: Tensor
    mean: Tensor
    log_std: Tensor
    alignment: Tensor
    log_duration: Tensor
    log_duration_target: Tensor
    melody: Tensor | None
    melody_target: Tensor | None
    pitch: Tensor | None
    text_mean: Tensor
    text_log_std: Tensor
    token_mask: Tensor
    mel_mask: Tensor
    mel_lengths: Tensor
    path_sum: Tensor | None


@dataclass(frozen=True)
class MelOutput:
    """A synthesised mel spectrogram and its timing; padding is zero.

    Attributes:
        mel: [B, M, T].
        mel_lengths: [B], frames of each item.
        durations: [B, L], frames of each token; they sum to the mel lengths.
        alignment: [B, L, T], ones on the path.
        log_duration: [B, L], the prediction before rounding and scaling.
        pitch: [B, T] Hz, 0 where unvoiced; None without pitch conditioning.
    """

    mel: Tensor
    mel_lengths: Tensor
    durations: Tensor
    alignment: Tensor
    log_duration: Tensor
    pitch: Tensor | None


class GlowTTS(nn.Module):
    """The acoustic model; see `GlowTTSConfig` for its parts."""

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = TextEncoder(config)
        self.decoder = GlowTTSDecoder(config)
        self.melody = PitchConditioning(config) if config.melody else None
        self.speakers = nn.Embedding(config.n_speakers, config.speaker_channels) if config.n_speakers > 1 else None
        if self.speakers is not None:
            nn.init.uniform_(self.speakers.weight, -0.1, 0.1)

    def forward(
        self,
        tokens: Tensor,
        token_lengths: Tensor,
        mel: Tensor,
        mel_lengths: Tensor,
        speaker: Tensor | None = None,
        *,
        sum_paths: bool = False,
    ) -> GlowTTSOutput:
        """Map a mel to its latent and align it with its text (section 3.1).

        Args:
            tokens: [B, L] integers.
            token_lengths: [B].
            mel: [B, M, T]; frames that do not fill a step of the decoder are cut off.
            mel_lengths: [B], at least as many frames as tokens after the cut.
            speaker: [B] integers, with several speakers.
            sum_paths: whether to compute `path_sum`, the forward-sum objective.

        Raises:
            TextError, MelError, VoiceError: tokens, mel or speaker do not fit the model.
            DataError: an item has fewer frames than tokens.
        """
        text = self.encode(tokens, token_lengths, speaker)
        latent, log_det, pitch = self.analyse(mel, mel_lengths, speaker)
        mel_lengths = self._whole_steps(mel_lengths)
        unit_variance = self.config.mean_only
        with torch.no_grad():
            scores = frame_log_likelihood(latent, text, unit_variance=unit_variance, complete=False)
            alignment = monotonic_alignment_search(scores, token_lengths, mel_lengths)
            target = torch.log(1e-8 + alignment.sum(2)) * text.mask[:, 0]
            melody = None if pitch is None else token_pitch(pitch, alignment.sum(2))
        path_sum = None
        if sum_paths:
            scores = frame_log_likelihood(latent, text, unit_variance=unit_variance, complete=True)
            path_sum = forward_sum(scores, token_lengths, mel_lengths)[0]
        mean = spread(text.mean, alignment)
        return GlowTTSOutput(
            latent=latent,
            log_det=log_det,
            mean=mean,
            log_std=torch.zeros_like(mean) if unit_variance else spread(text.log_std, alignment),
            alignment=alignment,
            log_duration=text.log_duration,
            log_duration_target=target,
            melody=text.melody,
            melody_target=melody,
            pitch=pitch,
            text_mean=text.mean,
            text_log_std=text.log_std,
            token_mask=text.mask,
            mel_mask=self._mel_mask(latent, mel_lengths),
            mel_lengths=mel_lengths,
            path_sum=path_sum,
        )

    def inverse(
        self,
        tokens: Tensor,
        token_lengths: Tensor,
        *,
        noise: Tensor | None = None,
        temperature: float = 0.667,
        length_scale: float | Tensor = 1.0,
        speaker: Tensor | None = None,
        durations: Tensor | None = None,
        pitch: Tensor | None = None,
        seed: int = 0,
    ) -> MelOutput:
        """Synthesise a mel from tokens (section 3, figure 1b).

        Args:
            tokens: [B, L] integers.
            token_lengths: [B].
            noise: [B or 1, M, at least T], standard normal; frames beyond T are not used. None: drawn from `seed`.
            temperature: standard deviation of the noise, relative to the prior's; 0 gives the most likely latent.
            length_scale: factor on the predicted durations, one number or one for each item [B].
            speaker: [B] integers, with several speakers.
            durations: [B, L] whole frames per token, in place of the predicted ones and exactly kept; `length_scale`
                does not apply to them.
            pitch: [B, frames] Hz, 0 where unvoiced, in place of the predicted one.
            seed: of the noise where none is given.

        Raises:
            TextError, MelError, VoiceError: tokens, durations, noise, pitch or speaker do not fit the model.
            ConfigError: the temperature is negative or a length scale not positive.
        """
        if not temperature >= 0 or not (torch.as_tensor(length_scale) > 0).all():
            raise ConfigError(f"need temperature >= 0 and length_scale > 0, got {temperature} and {length_scale}")
        if not _at_hand(tokens):  # how long the mel becomes is waited for anyway
            check_tokens(tokens.cpu(), token_lengths.cpu(), self.config.n_symbols)
        text = self.encode(tokens, token_lengths, speaker)
        step = self.config.n_squeeze
        if durations is None:
            frames = predicted_durations(text.log_duration, text.mask, length_scale, step)
        else:
            frames = given_durations(durations.to(tokens.device), text.mask)
        filled = fill_last_step(frames, text.mask, step)
        lengths, filled_lengths = frames.sum(1), filled.sum(1)
        n_frames, n_filled = int(lengths.max()), int(filled_lengths.max())

        path = alignment_from_durations(filled, n_filled, text.mean.dtype)
        if noise is None:
            noise = torch.from_numpy(position_noise(seed, text.mean.shape[1], n_filled))[None]
        latent = drawn_latent(text, path, noise, temperature, n_frames)
        if pitch is not None:
            told: Tensor | None = fitted_pitch(pitch, latent)
        else:
            told = pitch = None if text.melody is None else pitch_contour(text.melody, filled, n_filled)
        mel = self.decode(latent, filled_lengths, speaker, self._harmonics(told))[:, :, :n_frames]
        mel = mel * self._mel_mask(mel, lengths)
        alignment = alignment_from_durations(frames, n_frames, text.mean.dtype)
        return MelOutput(mel, lengths, frames, alignment, text.log_duration, pitch)

    def encode(self, tokens: Tensor, token_lengths: Tensor, speaker: Tensor | None = None) -> TextStatistics:
        """Return what the text says about its mel: the first half of `inverse`. Arguments and errors are its."""
        check_tokens(tokens, token_lengths, self.config.n_symbols)
        result: TextStatistics = self.encoder(tokens, token_lengths, self._speaker_vector(speaker, len(tokens)))
        return result

    def decode(
        self, latent: Tensor, mel_lengths: Tensor, speaker: Tensor | None = None, harmonics: Tensor | None = None
    ) -> Tensor:
        """Return the mel `[B, M, T]` of a latent: the last part of `inverse`.

        Args:
            latent: [B, M, T], T a multiple of the decoder's squeeze.
            mel_lengths: [B], multiples of it too; what lies beyond is zero in the mel.
            speaker: [B] integers, with several speakers.
            harmonics: [B, K, T], what the couplings see of a pitch (`PitchConditioning.harmonic_features`),
                for a model with pitch conditioning.

        Raises:
            VoiceError: the speaker does not fit the model.
            MelError: the harmonic features are missing, not wanted, or of another shape.
        """
        mask = self._mel_mask(latent, mel_lengths)
        return self.decoder.inverse(latent * mask, mask, self._condition(speaker, latent, harmonics))[0]

    def decode_piece(
        self,
        latent: Tensor,
        state: PieceState,
        speaker: Tensor | None = None,
        harmonics: Tensor | None = None,
        *,
        final: bool,
    ) -> tuple[Tensor, PieceState]:
        """Return the mel of a latent a piece at a time: `decode` by `GlowTTSDecoder.inverse_piece`.

        Raises:
            VoiceError, MelError: see `decode`.
        """
        return self.decoder.inverse_piece(latent, self._condition(speaker, latent, harmonics), state, final=final)

    def analyse(
        self, mel: Tensor, mel_lengths: Tensor, speaker: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the latent `[B, M, T]` of a mel and the log-determinant `[B]`: `decode` the other way round.

        The third is the pitch `[B, T]` in Hz that was read off the mel; None without pitch conditioning.

        Args:
            mel: [B, M, T]; frames that do not fill a step of the decoder are cut off.
            mel_lengths: [B].
            speaker: [B] integers, with several speakers.

        Raises:
            MelError, VoiceError: the mel or the speaker does not fit the model.
        """
        check_mel(mel, mel_lengths, self.config.audio.n_mels)
        mel = mel[:, :, : self._whole_steps(mel.shape[2])]
        mask = self._mel_mask(mel, self._whole_steps(mel_lengths))
        pitch = None if self.melody is None else self.melody.read(mel, mask)
        latent, log_det = self.decoder(mel, mask, self._condition(speaker, mel, self._harmonics(pitch)))
        return latent, log_det, pitch

    def convert(self, mel: Tensor, mel_lengths: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """Give a recording another speaker's voice: to the latent as one, back as the other (section 5.3).

        Args:
            mel, mel_lengths: [B, M, T] and [B].
            source, target: [B] integers, who speaks, and who shall seem to.

        Returns:
            [B, M, T], cut to a multiple of the decoder's squeeze as `forward` does it; frames cut off an item are zero.

        Raises:
            MelError, VoiceError: the mel or a speaker does not fit the model.
        """
        latent, _, pitch = self.analyse(mel, mel_lengths, source)
        mask = self._mel_mask(latent, self._whole_steps(mel_lengths))
        return self.decoder.inverse(latent, mask, self._condition(target, latent, self._harmonics(pitch)))[0]

    def log_likelihood(
        self,
        tokens: Tensor,
        token_lengths: Tensor,
        mel: Tensor,
        mel_lengths: Tensor,
        speaker: Tensor | None = None,
        *,
        sum_paths: bool = False,
    ) -> Tensor:
        """Return log p(mel | text) `[B]` in nats, on the most likely path or summed over all; see `forward`.

        With pitch conditioning it is given the pitch too. An odd last frame is not counted. Divide by
        `mel_lengths * M` to compare utterances of different lengths.
        """
        output = self(tokens, token_lengths, mel, mel_lengths, speaker, sum_paths=sum_paths)
        if output.path_sum is not None:
            marginal: Tensor = output.path_sum + output.log_det
            return marginal
        prior = diagonal_log_likelihood(output.latent, output.mean, output.log_std, output.mel_mask)
        result: Tensor = prior + output.log_det
        return result

    def _harmonics(self, pitch: Tensor | None) -> Tensor | None:
        """Return what the couplings see of a pitch `[B, T]`."""
        if pitch is None:
            return None
        if self.melody is None:
            raise MelError("this model has no melody; leave the pitch out")
        return self.melody.harmonic_features(pitch)

    def _condition(self, speaker: Tensor | None, frames: Tensor, harmonics: Tensor | None) -> Tensor | None:
        """Return what the couplings see: `[B, G, 1]` of speakers; with pitch also `[B, C + G, T / step]`, it first."""
        vector = self._speaker_vector(speaker, len(frames))
        if self.melody is None:
            if harmonics is not None:
                raise MelError("this model has no melody; leave the pitch out")
            return vector
        if harmonics is None:
            raise MelError("this model has a melody; say the pitch of each frame")
        if harmonics.ndim != 3 or (len(harmonics), harmonics.shape[2]) != (len(frames), frames.shape[2]):
            raise MelError(f"the comb must be [{len(frames)}, K, {frames.shape[2]}], got {list(harmonics.shape)}")
        seen: Tensor = self.melody.projection(self.decoder.squeeze(harmonics.to(frames))[0])
        return seen if vector is None else torch.cat([seen, vector.to(seen.dtype).expand(-1, -1, seen.shape[2])], 1)

    def _speaker_vector(self, speaker: Tensor | None, batch: int) -> Tensor | None:
        """Return the speakers' unit vectors `[B, G, 1]`, or None for a model with one speaker."""
        if self.speakers is None:
            if speaker is not None:
                raise VoiceError("this model has one speaker; leave the speaker out")
            return None
        known = checked_speaker(speaker, batch, self.config.n_speakers)
        return F.normalize(self.speakers(known)).unsqueeze(2)

    def _whole_steps(self, frames: Length) -> Length:
        """Return frames without those that fill no step of the decoder."""
        return frames // self.config.n_squeeze * self.config.n_squeeze

    @staticmethod
    def _mel_mask(mel: Tensor, mel_lengths: Tensor) -> Tensor:
        return (torch.arange(mel.shape[2], device=mel.device) < mel_lengths[:, None]).unsqueeze(1).to(mel.dtype)


def frame_log_likelihood(latent: Tensor, text: TextStatistics, *, unit_variance: bool, complete: bool) -> Tensor:
    """Return log N(latent of frame t; mean, std of token l) for every pair, nats.

    The prior of Glow-TTS: the latent of a mel frame is Gaussian under the token it belongs to (section 3, equation 2).

    Args:
        latent: [B, M, T].
        text: statistics of the tokens.
        unit_variance: whether every `log_std` is zero; two of the four terms then do not depend on the token.
        complete: whether the terms that are the same for all tokens of a frame are added too. The best path does not
            need them, a likelihood does.

    Returns:
        [B, L, T], in float32 at least, laid out in memory as [B, T, L], which the alignment search takes as it is.
    """
    with torch.autocast(latent.device.type, enabled=False):
        frames = latent.transpose(1, 2)
        if unit_variance:
            per_token = -0.5 * text.mean.square().sum(1, keepdim=True)
            matrix = torch.baddbmm(per_token, frames, text.mean)
            if complete:
                matrix = matrix - 0.5 * frames.square().sum(2, keepdim=True)
        else:
            precision = torch.exp(-2.0 * text.log_std)
            per_token = -(text.log_std + 0.5 * text.mean.square() * precision).sum(1, keepdim=True)
            matrix = torch.baddbmm(per_token, frames, text.mean * precision)
            matrix = torch.baddbmm(matrix, -0.5 * frames.square(), precision)
        if complete:
            matrix = matrix - 0.5 * LOG_TWO_PI * latent.shape[1]
        return matrix.transpose(1, 2)


def spread(statistics: Tensor, alignment: Tensor) -> Tensor:
    """Give each frame its token's statistics: `[B, M, L]` and `[B, L, T]` to `[B, M, T]`, without rounding."""
    with torch.autocast(statistics.device.type, enabled=False):
        return statistics @ alignment.to(statistics.dtype)


def drawn_latent(text: TextStatistics, path: Tensor, noise: Tensor, temperature: float, n_frames: int) -> Tensor:
    """Return a latent `[B, M, T]` near the text's mean (section 3, figure 1b).

    Args:
        text: statistics of the tokens.
        path: [B, L, T], which token each frame belongs to.
        noise: [B or 1, M, at least `n_frames`], standard normal.
        temperature: standard deviation of the noise, relative to the prior's.
        n_frames: frames that count.
    """
    latent = spread(text.mean, path)
    if not temperature:
        return latent
    return latent + fitted_noise(noise, latent, n_frames) * temperature * spread(text.log_std, path).exp()


def predicted_durations(log_duration: Tensor, mask: Tensor, length_scale: float | Tensor, n_squeeze: int) -> Tensor:
    """Return whole frames per token, rounded up, `[B, L]` int64; see `align.prior.predicted_frames`.

    Args:
        log_duration: [B, L], log frames.
        mask: [B, 1, L], one for each token.
        length_scale: a number, or one for each item [B]; 2 speaks half as fast.
        n_squeeze: frames in a step of the decoder.
    """
    scales = torch.as_tensor(length_scale).reshape(-1).expand(len(log_duration)).tolist()
    rows = [
        predicted_frames(row, scale, n_squeeze) for row, scale in zip(_items(log_duration, mask), scales, strict=True)
    ]
    return _padded(rows, log_duration)


def given_durations(durations: Tensor, mask: Tensor) -> Tensor:
    """Check durations that a caller gives, `[B, L]` whole frames, and return them as int64 with padding zero.

    Raises:
        TextError: the shape or type does not fit, a duration is negative or an item has no frame at all.
    """
    shape = (mask.shape[0], mask.shape[2])
    if tuple(durations.shape) != shape or durations.is_floating_point():
        raise TextError(f"durations must be whole frames {list(shape)}, got {durations.dtype} {list(durations.shape)}")
    frames = durations.long() * mask[:, 0].long()
    if (frames < 0).any() or (frames.sum(1) < 1).any():
        raise TextError("durations must not be negative, and every item needs at least one frame")
    return frames


def fill_last_step(durations: Tensor, mask: Tensor, n_squeeze: int) -> Tensor:
    """Return durations whose sum per item is rounded up to a multiple of `n_squeeze`, the last token growing."""
    return _padded([filled_frames(row, n_squeeze) for row in _items(durations, mask)], durations)


def _items(values: Tensor, mask: Tensor) -> list[NDArray[Any]]:
    """Return the values `[B, L]` of each item's own tokens."""
    lengths = mask[:, 0].long().sum(1).tolist()
    return [row[:length] for row, length in zip(values.detach().cpu().numpy(), lengths, strict=True)]


def _padded(rows: list[NDArray[np.int64]], like: Tensor) -> Tensor:
    """Return durations `[B, L]` int64, padding zero, where the tensor `like` is."""
    padded = np.zeros(like.shape, np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return torch.from_numpy(padded).to(like.device)


def _at_hand(tensor: Tensor) -> bool:
    """Return whether values can be looked at without waiting: on a CPU. Elsewhere the callers have checked them."""
    return tensor.device.type == "cpu"


def check_tokens(tokens: Tensor, token_lengths: Tensor, n_symbols: int) -> None:
    """Refuse tokens that are not `[B, L]` integers below `n_symbols` with lengths from 1 to L.

    Raises:
        TextError: with what was wrong.
    """
    if tokens.ndim != 2 or 0 in tokens.shape or tuple(token_lengths.shape) != (tokens.shape[0],):
        raise TextError(
            f"expected tokens [B, L] and token_lengths [B], got {list(tokens.shape)} and {list(token_lengths.shape)}"
        )
    if tokens.is_floating_point() or token_lengths.is_floating_point():
        raise TextError(f"tokens and their lengths must be integers, got {tokens.dtype} and {token_lengths.dtype}")
    if not _at_hand(tokens):
        return
    if int(token_lengths.min()) < 1 or int(token_lengths.max()) > tokens.shape[1]:
        raise TextError(f"token_lengths must lie from 1 to {tokens.shape[1]}, got {token_lengths.tolist()}")
    lowest, highest = int(tokens.min()), int(tokens.max())
    if lowest < 0 or highest >= n_symbols:
        raise TextError(
            f"tokens must lie from 0 to {n_symbols - 1}, got {lowest} to {highest}; they were made for another model"
        )


def check_mel(mel: Tensor, mel_lengths: Tensor, n_mels: int) -> None:
    """Refuse a mel that is not `[B, n_mels, T]` with lengths from 1 to T.

    Raises:
        MelError: with what was wrong.
    """
    if mel.ndim != 3 or mel.shape[1] != n_mels or not len(mel) or tuple(mel_lengths.shape) != (mel.shape[0],):
        raise MelError(
            f"expected a mel [B, {n_mels}, T] and mel_lengths [B], got {list(mel.shape)} and {list(mel_lengths.shape)}"
        )
    if _at_hand(mel_lengths) and (int(mel_lengths.min()) < 1 or int(mel_lengths.max()) > mel.shape[2]):
        raise MelError(f"mel_lengths must lie from 1 to {mel.shape[2]}, got {mel_lengths.tolist()}")


def checked_speaker(speaker: Tensor | None, batch: int, n_speakers: int) -> Tensor:
    """Return `speaker [B]`, refusing an absent one or one that the model does not know.

    Raises:
        VoiceError: with what was wrong.
    """
    if speaker is None:
        raise VoiceError(f"this model has {n_speakers} speakers; choose one from 0 to {n_speakers - 1}")
    fits = tuple(speaker.shape) == (batch,)
    if not fits or (_at_hand(speaker) and (int(speaker.min()) < 0 or int(speaker.max()) >= n_speakers)):
        raise VoiceError(f"need {batch} speakers from 0 to {n_speakers - 1}, got {speaker.tolist()}")
    return speaker


def fitted_noise(noise: Tensor, latent: Tensor, n_frames: int) -> Tensor:
    """Return noise of the latent's type, device and frames, cut or, beyond `n_frames`, filled with zeros.

    Args:
        noise: [B or 1, M, frames].
        latent: [B, M, T], T at least `n_frames`.
        n_frames: how many frames the noise must have.

    Raises:
        MelError: the shape does not fit.
    """
    batch, channels, filled = latent.shape
    if noise.ndim != 3 or noise.shape[0] not in (1, batch) or noise.shape[1] != channels:
        raise MelError(f"noise must be [{batch} or 1, {channels}, frames], got {list(noise.shape)}")
    if noise.shape[2] < n_frames:
        raise MelError(f"noise has {noise.shape[2]} frames, the sentence needs {n_frames}")
    return F.pad(noise[:, :, :filled], (0, max(0, filled - noise.shape[2]))).to(latent)
