"""A voice by its name or place, opened with the engines of this machine."""

import os

from glowvox.engines.acoustic import AcousticEngine
from glowvox.engines.base import VocoderEngine
from glowvox.errors import VoiceError
from glowvox.synthesis.installed_voices import find_voice
from glowvox.synthesis.opened_voice import opened_folder
from glowvox.synthesis.voice import Voice
from glowvox.synthesis.voice_card import VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import open_engines


def load_voice(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    engine: str = "auto",
    threads: int | None = None,
    device: str = "cpu",
    precision: str = "float32",
) -> Voice:
    """Return a voice.

    Args:
        name_or_path: a voice's folder, a `.voice` file, the name of an installed voice, or a Hugging Face repository
            (`owner/name`); None or "default": the one that came with the package.
        engine: "onnx", "openvino", "torch", or "auto": the best for this machine.
        threads: CPU threads; None: the engine's own choice.
        device: "cpu", "cuda", "cuda:N", "mps", or "auto": a GPU where there is one. Not the CPU: the engine "torch".
        precision: of the vocoder in the engine "torch": "float32", "bfloat16" or "float16".

    Raises:
        VoiceError: there is no such voice, or it is damaged or hostile.
        EngineError, CheckpointError: its models cannot be run.
        MissingExtraError: the engine needs a package that is not installed.
    """

    def opened(count: int | None) -> tuple[VoiceCard, AcousticEngine, VocoderEngine]:
        with opened_folder(find_voice(name_or_path)) as folder:
            card = read_voice_card(folder)
            return card, *open_engines(folder, card, engine, count, device=device, precision=precision)

    def opened_alone() -> tuple[AcousticEngine, VocoderEngine]:
        now, acoustic, vocoder = opened(1)
        if now != card:
            raise VoiceError(f"{name_or_path}: is another voice than when it was loaded")
        return acoustic, vocoder

    card, acoustic, vocoder = opened(threads)
    return Voice(card, acoustic, vocoder, alone=opened_alone, threads=threads)
