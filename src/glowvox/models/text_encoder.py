"""The text encoder of Glow-TTS: from tokens to the statistics of the prior and to durations (section 3.2, figure 2)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.nn.convolution import ConvPrenet, SameConv1d, TokenPredictor
from glowvox.nn.transformer import TransformerEncoder


@dataclass(frozen=True)
class TextStatistics:
    """What the text says about its mel frames; padding is zero.

    Attributes:
        mean: [B, M, L], mean of the latent under each token.
        log_std: [B, M, L], log standard deviation.
        log_duration: [B, L], predicted log of each token's frames.
        mask: [B, 1, L], one for each token.
        melody: [B, 2, L], predicted log pitch of each token (`audio.pitch.pitch_contour`) and log odds of voicing;
            None where the model has no pitch conditioning.
    """

    mean: Tensor
    log_std: Tensor
    log_duration: Tensor
    mask: Tensor
    melody: Tensor | None = None


class TextEncoder(nn.Module):
    """Embedding, convolutional pre-net, relative-position transformer, projections, predictors of durations and pitch.

    Attributes:
        predictor_gradient: share of the gradient of the predictors' input that reaches the encoder. The paper stops it
            (section 3.2), which is 0; training sets it otherwise where an encoder shall learn prosody too.
    """

    predictor_gradient = 0.0

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        hidden = config.hidden_channels
        self.embedding = nn.Embedding(config.n_symbols, hidden)
        nn.init.normal_(self.embedding.weight, 0.0, hidden**-0.5)
        self.speaker: nn.Linear | None = None
        if config.speaker_in_encoder and config.speaker_channels:
            self.speaker = nn.Linear(config.speaker_channels, hidden, bias=False)
            nn.init.zeros_(self.speaker.weight)
        self.prenet = ConvPrenet(hidden) if config.prenet else None
        self.transformer = TransformerEncoder(
            hidden,
            config.filter_channels,
            config.n_heads,
            config.n_encoder_layers,
            kernel_size=config.encoder_kernel_size,
            window=config.window_size if config.relative_positions else None,
            dropout=config.encoder_dropout,
        )
        self.mean = SameConv1d(hidden, config.audio.n_mels, 1)
        self.log_std = None if config.mean_only else SameConv1d(hidden, config.audio.n_mels, 1)
        self.durations = _predictor(config, config.duration_channels, 1)
        self.melody = _predictor(config, config.melody_predictor_channels, 2) if config.melody else None

    def forward(self, tokens: Tensor, token_lengths: Tensor, speaker: Tensor | None = None) -> TextStatistics:
        """Encode tokens.

        Args:
            tokens: [B, L] integers.
            token_lengths: [B], each at least 1.
            speaker: [B, G, 1], the speakers' vectors; None with one speaker.

        Returns:
            The statistics, in float32 even under autocast.
        """
        dtype = self.embedding.weight.dtype
        mask = (torch.arange(tokens.shape[1], device=tokens.device) < token_lengths[:, None]).unsqueeze(1).to(dtype)
        x = (self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)).transpose(1, 2)
        if self.speaker is not None and speaker is not None:
            x = x + self.speaker(speaker.transpose(1, 2)).to(dtype).transpose(1, 2)
        if self.prenet is not None:
            x = self.prenet(x, mask)
        x = self.transformer(x, mask)
        mean = self.mean(x).to(dtype) * mask
        log_std = torch.zeros_like(mean) if self.log_std is None else self.log_std(x).to(dtype) * mask
        known = x.detach()
        if self.predictor_gradient and self.training:
            known = known + self.predictor_gradient * (x - known)
        if speaker is not None:
            known = torch.cat([known, speaker.to(known.dtype).expand(-1, -1, known.shape[2])], 1)
        log_duration = self.durations(known, mask).to(dtype).squeeze(1)
        melody = None if self.melody is None else self.melody(known, mask).to(dtype)
        return TextStatistics(mean, log_std, log_duration, mask, melody)


def _predictor(config: GlowTTSConfig, channels: int, out_channels: int) -> TokenPredictor:
    return TokenPredictor(
        config.hidden_channels + config.speaker_channels,
        channels,
        out_channels,
        kernel_size=config.encoder_kernel_size,
        dropout=config.encoder_dropout,
    )
