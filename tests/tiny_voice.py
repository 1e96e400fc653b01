"""Voices for tests: a random small Glow-TTS with a random small lapped WaveGlow, and engines in plain NumPy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from glowvox.checkpoint.model_folder import save_model
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.schema import to_dict
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.engines.base import AcousticEngine, EncodedText, VocoderEngine
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import VocoderCard, VoiceCard
from glowvox.synthesis.voice_folder import write_voice
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

MODEL_FILES = ("acoustic/config.json", "acoustic/model.safetensors", "vocoder/config.json", "vocoder/model.safetensors")


def acoustic_config(n_speakers: int = 1, audio: AudioConfig | None = None, *, melody: bool = False) -> GlowTTSConfig:
    return GlowTTSConfig(
        n_symbols=len(Tokenizer()),
        audio=audio or AudioConfig(),
        n_speakers=n_speakers,
        speaker_channels=4 if n_speakers > 1 else 0,
        hidden_channels=16,
        filter_channels=16,
        duration_channels=16,
        n_heads=2,
        n_encoder_layers=1,
        decoder_channels=8,
        n_blocks=2,
        n_layers=1,
        kernel_size=3,
        melody=melody,
    )


def vocoder_config(audio: AudioConfig | None = None) -> WaveGlowConfig:
    return WaveGlowConfig(
        audio=audio or AudioConfig(),
        transform="lapped",
        n_group=256,
        n_flows=2,
        n_early_every=0,
        n_channels=8,
        n_skip_channels=8,
        n_layers=2,
        conditioning="mel-rate",
        mel_mean=-5.0,
        mel_std=2.0,
        mel_scale=True,
        max_log_scale=1.0,
    )


def acoustic_model(n_speakers: int = 1, audio: AudioConfig | None = None, *, melody: bool = False) -> GlowTTS:
    """A Glow-TTS in which every part does something; its tokens last two frames or so."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return _stirred(GlowTTS(acoustic_config(n_speakers, audio, melody=melody)), 0.1)


def vocoder_model(audio: AudioConfig | None = None) -> WaveGlow:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return _stirred(WaveGlow(vocoder_config(audio)), 0.1)


def _stirred(model, size):
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(0.0, size)
        for name, buffer in model.named_buffers():
            if "initialised" in name:
                buffer.fill_(True)
    return model.eval()


def card(
    *,
    name: str = "tiny",
    speakers: tuple[str, ...] = ("ann",),
    mel: AudioConfig | None = None,
    n_group: int = 256,
    receptive_field: int = 8,
    n_squeeze: int = 2,
    speaker_languages: dict[str, str] | None = None,
    **defaults,
) -> VoiceCard:
    mel = mel or AudioConfig()
    languages = {"en-us", *(speaker_languages or {}).values()}
    return VoiceCard(
        name=name,
        language="en-us",
        licence="CC0-1.0",
        speakers=speakers,
        mel=mel,
        n_squeeze=n_squeeze,
        tokenizer=Tokenizer().to_dict(),
        front_ends={language: load_front_end(language).to_dict() for language in sorted(languages)},
        vocoder=VocoderCard(AudioConfig(), n_group, receptive_field),
        defaults=SpeechOptions(**defaults),
        speaker_languages=speaker_languages or {},
        acoustic_config=to_dict(acoustic_config(len(speakers), mel)),
    )


def write_tiny_voice(folder: Path, models: Path, *, speakers: tuple[str, ...] = ("ann",), melody: bool = False) -> Path:
    """Write a voice for the PyTorch engine; the models are kept beside it."""
    save_model(acoustic_model(len(speakers), melody=melody), models / "acoustic")
    vocoder = vocoder_model()
    save_model(vocoder, models / "vocoder")
    own = card(name=folder.name, speakers=speakers, receptive_field=vocoder.receptive_field)
    own = replace(own, acoustic_config=to_dict(acoustic_config(len(speakers), melody=melody)))
    write_voice(folder, own, {name: models / name for name in MODEL_FILES})
    return folder


class FakeAcoustic(AcousticEngine):
    """Statistics and durations from the tokens and their neighbours; the decoder adds up neighbouring frames."""

    def __init__(self, *, n_speakers: int = 1, n_squeeze: int = 2, audio: AudioConfig | None = None) -> None:
        super().__init__(audio or AudioConfig(), n_symbols=len(Tokenizer()), n_speakers=n_speakers, n_squeeze=n_squeeze)
        self.batches: list[int] = []

    def _encode(self, tokens, lengths, speaker) -> EncodedText:
        self.batches.append(len(tokens))
        mask = np.arange(tokens.shape[1]) < lengths[:, None]
        known = np.where(mask, tokens, 0).astype(np.float32)
        beside = np.pad(known, ((0, 0), (1, 1)))
        mixed = (known + 0.5 * beside[:, :-2] + 0.25 * beside[:, 2:]) * mask
        bins = np.linspace(0.1, 1.0, self.audio.n_mels, dtype=np.float32)[:, None]
        shift = 0.0 if speaker is None else speaker[:, None, None].astype(np.float32)
        mean = (np.sin(mixed[:, None] * bins) + shift) * mask[:, None]
        log_std = (0.1 * np.cos(mixed[:, None] * bins)) * mask[:, None]
        return EncodedText(
            mean.astype(np.float32), log_std.astype(np.float32), (np.abs(np.sin(mixed)) * mask).astype(np.float32)
        )

    def _decode(self, given, state, *, final) -> tuple[NDArray[np.float32], dict]:
        mask = (np.arange(given.latent.shape[2]) < given.lengths[:, None])[:, None]
        padded = np.pad(given.latent * mask, ((0, 0), (0, 0), (1, 1)))
        return ((padded[..., 1:-1] + 0.5 * padded[..., 2:] - 4.0) * mask).astype(np.float32), {}


class FakeVocoder(VocoderEngine):
    """Samples of a frame from its mel, its neighbours' and its noise; never silent."""

    def __init__(self, *, n_group: int = 256) -> None:
        super().__init__(AudioConfig(), n_group=n_group, receptive_field=2)
        self.batches: list[int] = []

    def _run(self, latent, mel) -> NDArray[np.float32]:
        self.batches.append(len(mel))
        level = np.tanh(mel.mean(1))
        padded = np.pad(level, ((0, 0), (2, 2)))
        level = 0.3 + 0.05 * sum(padded[:, shift : shift + level.shape[1]] for shift in range(5))
        noise = latent.transpose(0, 2, 1).reshape(len(mel), -1) if self.n_group else 0.0
        return (0.5 * np.repeat(level, self.audio.hop_length, 1) + 0.05 * noise).astype(np.float32)


def fake_voice(*, speakers: tuple[str, ...] = ("ann",), n_group: int = 256, denoise: float = 0.0, **options) -> Voice:
    """A voice that speaks in no time."""
    own = card(speakers=speakers, n_group=n_group, receptive_field=2, denoise=denoise, **options)
    acoustic = FakeAcoustic(n_speakers=len(speakers), audio=own.mel)
    return Voice(own, acoustic, FakeVocoder(n_group=n_group))
