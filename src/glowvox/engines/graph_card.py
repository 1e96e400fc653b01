"""What an exported graph says about itself: the card in its metadata, one JSON document under one key."""

import base64
import binascii
import dataclasses
import json
import math
from array import array
from dataclasses import dataclass, field
from typing import Any, Literal

from glowvox.config.audio import AudioConfig
from glowvox.config.schema import from_dict, to_dict
from glowvox.engines.pitch_network import PitchNetwork
from glowvox.errors import ConfigError, EngineError

METADATA_KEY = "glowvox"
FORMAT_VERSION = 1
_MAX_CHARACTERS = 4 << 20
_MAX_SETTING = 1_000_000

GraphType = Literal["waveglow", "glow_tts_encoder", "glow_tts_decoder", "mel_vocoder"]


@dataclass(frozen=True)
class GraphCard:
    """Everything that a caller must know of a graph."""

    type: GraphType
    """Which model, or which half of it; 'mel_vocoder': any vocoder from mel to audio."""
    audio: AudioConfig
    """The mel contract of the input or output."""
    precision: Literal["float32", "float16", "int8"] = "float32"
    """How the large matrices are stored."""
    n_group: int = 0
    """Channels of the latent (waveglow)."""
    receptive_field: int = 0
    """Mel frames on each side of a frame that it depends on (waveglow, glow_tts_decoder, mel_vocoder)."""
    refine: int = 0
    """Passes of mel refinement that its output is meant for (waveglow)."""
    pitch: dict[str, Any] = field(default_factory=dict)
    """The pitch predictor of a harmonic source (waveglow), see `PitchNetwork.to_dict`; empty: there is none."""
    n_symbols: int = 0
    """Size of the vocabulary (glow_tts)."""
    n_speakers: int = 1
    """Speakers (glow_tts)."""
    n_squeeze: int = 1
    """The decoder takes multiples of this many frames (glow_tts)."""
    melody: bool = False
    """Whether the decoder must be told the pitch, which the encoder predicts (glow_tts)."""
    bias_spectrum: str = ""
    """The denoiser's bias (waveglow): magnitudes as base64 of little-endian float32; see `bias`."""
    text: dict[str, Any] = field(default_factory=dict)
    """The tokenizer with its symbols, the front ends and the speakers' names (glow_tts)."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Where the weights come from."""
    glowvox: str = ""
    """Version of the program that wrote the graph."""

    def __post_init__(self) -> None:
        if self.type == "waveglow" and (self.n_group < 1 or self.audio.hop_length % self.n_group):
            raise ConfigError(f"n_group {self.n_group} does not divide the hop length {self.audio.hop_length}")
        for name in ("receptive_field", "n_symbols", "n_group"):
            if not 0 <= getattr(self, name) <= _MAX_SETTING:
                raise ConfigError(f"{name} = {getattr(self, name)} is not possible")
        if not 0 <= self.refine <= 100:
            raise ConfigError(f"refine = {self.refine} is not possible")
        if min(self.n_speakers, self.n_squeeze) < 1:
            raise ConfigError("n_speakers and n_squeeze must be at least 1")

    def to_json(self) -> str:
        """Return the card as the text that is stored."""
        content = {"format_version": FORMAT_VERSION, "mel_fingerprint": self.audio.fingerprint(), **to_dict(self)}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | None, where: str) -> "GraphCard":
        """Return the card that a graph holds.

        Args:
            text: what is stored under `METADATA_KEY`; None: nothing.
            where: the file, for messages.

        Raises:
            EngineError: there is none, it is damaged, or of another version.
        """
        if text is None:
            raise EngineError(
                f"{where}: holds no Glowvox metadata; export a model with 'glowvox export model', or state the mel "
                "contract of a foreign vocoder"
            )
        try:
            content = json.loads(text) if len(text) <= _MAX_CHARACTERS else None
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise EngineError(f"{where}: the metadata is damaged; export the model again")
        version, fingerprint = content.pop("format_version", None), content.pop("mel_fingerprint", None)
        if version != FORMAT_VERSION:
            raise EngineError(
                f"{where}: format version {str(version)[:20]!r}, this program reads {FORMAT_VERSION}; "
                "export the model again, or use the release that wrote it"
            )
        try:
            card = from_dict(cls, content, "metadata")
        except (ConfigError, TypeError, RecursionError) as error:
            raise EngineError(f"{where}: the metadata is damaged: {error}") from None
        if fingerprint != card.audio.fingerprint():
            raise EngineError(f"{where}: the mel contract does not have the fingerprint stored; the file was altered")
        return card

    def require_type(self, kind: GraphType, where: str) -> None:
        """Refuse a graph of another model.

        Raises:
            EngineError: it is one.
        """
        if self.type != kind:
            raise EngineError(f"{where}: holds a graph of type '{self.type}'; one of type '{kind}' is needed")

    def require_same_model(self, other: "GraphCard", where: str) -> None:
        """Refuse two halves that do not belong together.

        Raises:
            EngineError: they differ in their contracts, speakers, squeeze or melody.
        """
        different = self.audio.differences(other.audio)
        names = [name for name in ("n_speakers", "n_squeeze", "melody") if getattr(self, name) != getattr(other, name)]
        if different or names:
            raise EngineError(f"{where}: belong to different models ({', '.join([*names, *different])} differ)")

    def acoustic(self) -> dict[str, Any]:
        """Return what an `AcousticEngine` must know besides the mel contract."""
        return {name: getattr(self, name) for name in ("n_symbols", "n_speakers", "n_squeeze", "melody")}

    def with_bias(self, magnitudes: list[float]) -> "GraphCard":
        """Return the card with a denoiser's bias, magnitudes `[n_fft // 2 + 1]`."""
        packed = base64.b64encode(array("f", magnitudes).tobytes()).decode("ascii")
        return dataclasses.replace(self, bias_spectrum=packed)

    def pitch_network(self) -> PitchNetwork | None:
        """Return the pitch predictor; None where there is none.

        Raises:
            EngineError: it is damaged.
        """
        return PitchNetwork.from_dict(self.pitch) if self.pitch else None

    def bias(self) -> list[float] | None:
        """Return the denoiser's bias, magnitudes `[n_fft // 2 + 1]`; None where none is stored.

        Raises:
            EngineError: it is damaged.
        """
        if not self.bias_spectrum:
            return None
        values = array("f")
        try:
            values.frombytes(base64.b64decode(self.bias_spectrum, validate=True))
        except (binascii.Error, ValueError):
            values = array("f", [math.nan])
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise EngineError("the denoiser's bias in the metadata is damaged; export the model again")
        return values.tolist()
