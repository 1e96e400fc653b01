"""What Glow-TTS returns, in training and in synthesis."""

from dataclasses import dataclass

from torch import Tensor


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
        melody: [B, 2, L], predicted height (see `audio.pitch_contour`) and log odds of voicing; None without a melody.
        melody_target: [B, 2, L], height and voiced share of each token on the path; None without a melody.
        pitch: [B, T] Hz, read off the mel, 0 where unvoiced; None without a melody.
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
        pitch: [B, T] Hz, 0 where unvoiced; None without a melody.
    """

    mel: Tensor
    mel_lengths: Tensor
    durations: Tensor
    alignment: Tensor
    log_duration: Tensor
    pitch: Tensor | None
