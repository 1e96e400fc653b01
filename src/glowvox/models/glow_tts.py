"""Glow-TTS (arXiv 2005.11129): text to mel spectrogram by a flow and a monotonic alignment that it finds itself."""

import torch
from torch import Tensor, nn

from glowvox.align.forward_sum import forward_sum
from glowvox.align.path import alignment_from_durations
from glowvox.align.search import monotonic_alignment_search
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import ConfigError, MelError
from glowvox.flows.likelihood import diagonal_log_likelihood
from glowvox.models.durations import fill_last_step, given_durations, predicted_durations
from glowvox.models.glow_tts_checks import check_mel, check_tokens
from glowvox.models.glow_tts_condition import decoder_condition, speaker_vector, whole_steps
from glowvox.models.glow_tts_decoder import GlowTTSDecoder
from glowvox.models.glow_tts_outputs import GlowTTSOutput, MelOutput
from glowvox.models.glow_tts_prior import drawn_latent, frame_log_likelihood, spread
from glowvox.models.melody import Melody, fitted_pitch
from glowvox.models.noise import position_noise
from glowvox.models.text_encoder import TextEncoder, TextStatistics


class GlowTTS(nn.Module):
    """The acoustic model; see `GlowTTSConfig` for its parts."""

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = TextEncoder(config)
        self.decoder = GlowTTSDecoder(config)
        self.melody = Melody(config) if config.melody else None
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
        check_tokens(tokens, token_lengths, self.config.n_symbols)
        check_mel(mel, mel_lengths, self.config.audio.n_mels)
        text = self.encoder(tokens, token_lengths, speaker_vector(self.speakers, speaker, len(tokens)))
        mel, mel_lengths = whole_steps(mel, mel_lengths, self.config.n_squeeze)
        mask = self._mel_mask(mel, mel_lengths)
        pitch = None if self.melody is None else self.melody.read(mel, mask)
        latent, log_det = self.decoder(mel, mask, self._condition(speaker, mel, self._comb(mel, pitch)))

        unit_variance = self.config.mean_only
        with torch.no_grad():
            scores = frame_log_likelihood(latent, text, unit_variance=unit_variance, complete=False)
            alignment = monotonic_alignment_search(scores, token_lengths, mel_lengths)
            target = torch.log(1e-8 + alignment.sum(2)) * text.mask[:, 0]
            melody = None if pitch is None or self.melody is None else self.melody.of_tokens(pitch, alignment.sum(2))
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
            mel_mask=mask,
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
            noise = position_noise(seed, text.mean.shape[1], n_filled)
        latent = drawn_latent(text, path, noise, temperature, n_frames)
        if self.melody is not None and text.melody is not None and pitch is None:
            pitch = self.melody.of_frames(text.melody, filled, n_filled)
        mel = self.decode(latent, filled_lengths, speaker, self._comb(latent, pitch))[:, :, :n_frames]
        mel = mel * self._mel_mask(mel, lengths)
        alignment = alignment_from_durations(frames, n_frames, text.mean.dtype)
        return MelOutput(mel, lengths, frames, alignment, text.log_duration, pitch)

    def encode(self, tokens: Tensor, token_lengths: Tensor, speaker: Tensor | None = None) -> TextStatistics:
        """Return what the text says about its mel: the first half of `inverse`. Arguments and errors are its."""
        check_tokens(tokens, token_lengths, self.config.n_symbols)
        return self.encoder(tokens, token_lengths, speaker_vector(self.speakers, speaker, len(tokens)))

    def decode(
        self, latent: Tensor, mel_lengths: Tensor, speaker: Tensor | None = None, comb: Tensor | None = None
    ) -> Tensor:
        """Return the mel `[B, M, T]` of a latent: the last part of `inverse`.

        Args:
            latent: [B, M, T], T a multiple of the decoder's squeeze.
            mel_lengths: [B], multiples of it too; what lies beyond is zero in the mel.
            speaker: [B] integers, with several speakers.
            comb: [B, K, T], what the couplings see of a pitch (`Melody.comb`), for a model with a melody.

        Raises:
            VoiceError: the speaker does not fit the model.
            MelError: the comb is missing, not wanted, or of another shape.
        """
        mask = self._mel_mask(latent, mel_lengths)
        return self.decoder.inverse(latent * mask, mask, self._condition(speaker, latent, comb))[0]

    def analyse(
        self, mel: Tensor, mel_lengths: Tensor, speaker: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the latent `[B, M, T]` of a mel and the log-determinant `[B]`: `decode` the other way round.

        The third is the pitch `[B, T]` in Hz that was read off the mel; None without a melody.

        Args:
            mel: [B, M, T]; frames that do not fill a step of the decoder are cut off.
            mel_lengths: [B].
            speaker: [B] integers, with several speakers.

        Raises:
            MelError, VoiceError: the mel or the speaker does not fit the model.
        """
        check_mel(mel, mel_lengths, self.config.audio.n_mels)
        mel, mel_lengths = whole_steps(mel, mel_lengths, self.config.n_squeeze)
        mask = self._mel_mask(mel, mel_lengths)
        pitch = None if self.melody is None else self.melody.read(mel, mask)
        latent, log_det = self.decoder(mel, mask, self._condition(speaker, mel, self._comb(mel, pitch)))
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
        mask = self._mel_mask(latent, mel_lengths // self.config.n_squeeze * self.config.n_squeeze)
        return self.decoder.inverse(latent, mask, self._condition(target, latent, self._comb(latent, pitch)))[0]

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

        With a melody it is given the pitch too. An odd last frame is not counted. Divide by `mel_lengths * M` to
        compare utterances of different lengths.
        """
        output = self(tokens, token_lengths, mel, mel_lengths, speaker, sum_paths=sum_paths)
        if output.path_sum is not None:
            return output.path_sum + output.log_det
        prior = diagonal_log_likelihood(output.latent, output.mean, output.log_std, output.mel_mask)
        return prior + output.log_det

    def _comb(self, frames: Tensor, pitch: Tensor | None) -> Tensor | None:
        """Return what the couplings see of a pitch `[B, frames]` on the frames of `[B, M, T]`."""
        if pitch is None:
            return None
        if self.melody is None:
            raise MelError("this model has no melody; leave the pitch out")
        return self.melody.comb(fitted_pitch(pitch, frames))

    def _condition(self, speaker: Tensor | None, frames: Tensor, comb: Tensor | None) -> Tensor | None:
        vector = speaker_vector(self.speakers, speaker, len(frames))
        return decoder_condition(vector, comb, frames, self.decoder.squeeze, self.melody)

    @staticmethod
    def _mel_mask(mel: Tensor, mel_lengths: Tensor) -> Tensor:
        return (torch.arange(mel.shape[2], device=mel.device) < mel_lengths[:, None]).unsqueeze(1).to(mel.dtype)
