"""The configuration of Glow-TTS (arXiv 2005.11129)."""

from dataclasses import dataclass, field

from glowvox.config.audio import AudioConfig
from glowvox.errors import ConfigError


@dataclass(frozen=True)
class GlowTTSConfig:
    """Everything that decides a Glow-TTS's parameters. The defaults are the paper's base model (28.6 M parameters)."""

    n_symbols: int = 148
    """Size of the token vocabulary."""
    audio: AudioConfig = field(default_factory=AudioConfig)
    """The mel contract of the output."""
    n_speakers: int = 1
    """Speakers; 1: no conditioning."""
    speaker_channels: int = 0
    """Size of the speaker embedding; 0 with one speaker."""
    speaker_in_encoder: bool = False
    """Whether the means of the latent know the speaker too, not only the flow and the predictors (the paper: no)."""
    hidden_channels: int = 192
    """Encoder width."""
    filter_channels: int = 768
    """Width of the transformer's feed-forward network."""
    duration_channels: int = 256
    """Width of the duration predictor."""
    n_heads: int = 2
    """Attention heads."""
    n_encoder_layers: int = 6
    """Transformer layers."""
    encoder_kernel_size: int = 3
    """Kernel of the feed-forward convolutions and the duration predictor."""
    window_size: int = 4
    """Relative positions within this distance have their own embedding."""
    relative_positions: bool = True
    """Whether attention knows them; without, tokens attend by content alone (the original's `window_size` null)."""
    prenet: bool = True
    """Whether the convolutional pre-net precedes the transformer."""
    encoder_dropout: float = 0.1
    """Dropout of the encoder and the duration predictor."""
    mean_only: bool = False
    """Whether the text statistics have unit variance."""
    decoder_channels: int = 192
    """Width of the coupling networks."""
    n_blocks: int = 12
    """Blocks of flow in the decoder."""
    n_layers: int = 4
    """Layers of a coupling network."""
    kernel_size: int = 5
    """Kernel of the coupling networks, odd."""
    dilation_growth: int = 1
    """Factor by which the dilation grows from layer to layer."""
    n_split: int = 4
    """Channels of a group of the 1x1 convolution."""
    n_squeeze: int = 2
    """Mel frames squeezed into one step of the decoder."""
    decoder_dropout: float = 0.05
    """Dropout of the coupling networks."""
    sigmoid_scale: bool = False
    """Whether a coupling's scale is a sigmoid (an option of the original program)."""
    max_log_scale: float = 0.0
    """Bound of the couplings' log scales, kept smoothly by a tanh; 0: unbounded (the paper)."""

    melody: bool = False
    """Whether the decoder is told the pitch of each frame, which the text predicts by token (pitch conditioning)."""
    melody_channels: int = 32
    """Channels in which the couplings see it."""
    melody_predictor_channels: int = 64
    """Width of the network that predicts it."""

    @property
    def condition_channels(self) -> int:
        """Channels that the couplings see besides the mel: the pitch's, then the speaker's."""
        return (self.melody_channels if self.melody else 0) + self.speaker_channels

    def __post_init__(self) -> None:
        positive = (
            "n_symbols n_speakers hidden_channels filter_channels duration_channels n_heads n_encoder_layers "
            "decoder_channels n_blocks n_layers dilation_growth n_squeeze melody_channels melody_predictor_channels"
        )
        for name in positive.split():
            if getattr(self, name) < 1:
                raise ConfigError(f"glow_tts.{name} must be at least 1, got {getattr(self, name)}")
        if self.window_size < 0:
            raise ConfigError(f"glow_tts.window_size must not be negative, got {self.window_size}")
        if (self.n_speakers > 1) != (self.speaker_channels > 0):
            raise ConfigError("glow_tts.speaker_channels must be set for several speakers, and only then")
        if self.hidden_channels % self.n_heads:
            raise ConfigError(f"glow_tts.n_heads {self.n_heads} must divide hidden_channels {self.hidden_channels}")
        if self.n_split < 2 or self.n_split % 2 or (self.audio.n_mels * self.n_squeeze) % self.n_split:
            raise ConfigError("glow_tts.n_split must be even and divide n_mels * n_squeeze")
        if min(self.kernel_size, self.encoder_kernel_size) < 1 or self.kernel_size * self.encoder_kernel_size % 2 == 0:
            raise ConfigError("glow_tts: kernel sizes must be odd")
        if not 0 <= self.encoder_dropout < 1 or not 0 <= self.decoder_dropout < 1 or self.max_log_scale < 0:
            raise ConfigError("glow_tts: dropouts must lie in [0, 1) and max_log_scale must not be negative")
