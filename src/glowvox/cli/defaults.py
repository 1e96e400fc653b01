"""What a voice does where an option is absent, for the help."""

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glowvox.synthesis.voice_card import VoiceCard

_VOICE_OPTIONS = frozenset(
    ("speed", "pitch_shift", "pitch_range", "temperature", "sigma", "denoise", "postfilter")
    + ("sentence_pause", "paragraph_pause")
)


def voice_default(option: str) -> str | None:
    """Return what a voice does without an option, and what the default voice's own value is.

    Args:
        option: its name in Python.
    """
    if option == "speaker":
        return "the voice's first"
    if option == "language":
        return "the speaker's"
    if option == "refine":
        return "as many as the vocoder is meant for"
    card = _default_card() if option in _VOICE_OPTIONS or option == "voice" else None
    if card is None:
        return "the voice's own" if option in _VOICE_OPTIONS else None
    return card.name if option == "voice" else f"the voice's own, {getattr(card.defaults, option):g} for {card.name}"


@functools.cache
def _default_card() -> "VoiceCard | None":
    from glowvox.errors import GlowvoxError
    from glowvox.synthesis.installed_voices import find_voice
    from glowvox.synthesis.voice_card import read_voice_card
    from glowvox.synthesis.voice_folder import open_voice_folder

    try:
        with open_voice_folder(find_voice()) as folder:
            return read_voice_card(folder)
    except GlowvoxError:
        return None
