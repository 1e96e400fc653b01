"""The graphs of a voice that holds its models, written anew in another precision."""

from pathlib import Path

from glowvox.errors import ConfigError, VoiceError
from glowvox.export.graph_builder import Precision
from glowvox.synthesis.voice_card import VoiceCard
from glowvox.synthesis.voice_folder import MODELS


def rewritten(folder: Path, card: VoiceCard, precision: Precision, out: Path) -> Path:
    """Write the graphs of a voice's models in another precision; return the folder.

    Raises:
        VoiceError: the voice does not hold its models.
        ConfigError: not a precision of numbers with a point.
    """
    if precision == "int8":
        raise ConfigError("a voice has 8 bits or not: it is packed so; here float32 and float16 can be had")
    if not all((folder / name).is_file() for name in MODELS):
        raise VoiceError(f"the voice {card.name} does not hold its models; leave --precision out to take it as it is")
    from glowvox.checkpoint.model_folder import load_model, read_card
    from glowvox.export.export_model import graph_cards, write_graphs

    for part in ("acoustic", "vocoder"):
        model = load_model(folder / part)
        write_graphs(model, graph_cards(model, read_card(folder / part)), out, precision)
    return out
