"""Options that `glowvox say` has in common with the other commands that speak: one definition, one name for a thing."""

import argparse
from pathlib import Path
from typing import Any

from glowvox.cli.markup_options import add_markup_options
from glowvox.cli.number_options import finite_number

SPEECH_OPTIONS = (
    *("speaker", "language", "speed", "pitch_shift", "pitch_range", "temperature"),
    *("sigma", "denoise", "refine", "postfilter"),
    *("sentence_pause", "paragraph_pause", "pause_tags", "markup", "read_code", "strict_ssml"),
)
"""What `add_speech_options` asks for that a voice takes as an option of that name."""


def add_speech_options(
    options: "argparse._ActionsContainer",
    *,
    whose: str = "of a voice with several",
    speed: str = "speaking rate; 2 is twice as fast",
) -> None:
    """Add all that says how a text is spoken: voice, pitch, noise, pauses, markup and lexicon; the seed apart.

    Args:
        options: to add to.
        whose: which speech the speaker and the language are of.
        speed: what the speed means.
    """
    add_voice_options(options, whose=whose, speed=speed)
    add_noise_options(options)
    options.add_argument("--sentence-pause", type=finite_number, metavar="SECONDS", help="silence after a sentence")
    options.add_argument("--paragraph-pause", type=finite_number, metavar="SECONDS", help="silence after a paragraph")
    add_lexicon_option(options)


def speech_overrides(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `add_speech_options` that were given, as a voice takes them, and the seed.

    Raises:
        ConfigError: the seed is none.
    """
    from glowvox.synthesis.options import parse_seed

    given = {name: getattr(args, name) for name in SPEECH_OPTIONS if getattr(args, name) is not None}
    return {"seed": parse_seed(str(args.seed), "--seed"), **given}


def add_voice_options(
    options: "argparse._ActionsContainer",
    *,
    whose: str = "of a voice with several",
    speed: str = "speaking rate; 2 is twice as fast",
) -> None:
    """Add `--voice`, `--speaker`, `--language`, and those that say how it speaks.

    Args:
        options: to add to.
        whose: which speech the speaker and the language are of.
        speed: what the speed means.
    """
    options.add_argument("--voice", metavar="VOICE", help="a name ('glowvox voices'), a folder or a .voice file")
    options.add_argument("--speaker", metavar="NAME", help=whose)
    options.add_argument("--language", metavar="TAG", help=whose)
    options.add_argument("--speed", type=finite_number, metavar="X", help=speed)
    options.add_argument(
        "--pitch-shift", type=finite_number, metavar="SEMITONES", help="how much higher; below 0: lower"
    )
    options.add_argument(
        "--pitch-range", type=finite_number, metavar="X", help="width of the pitch contour; 0: monotonous, 1: natural"
    )
    options.add_argument("--temperature", type=finite_number, metavar="X", help="liveliness of the speech; 0: none")
    options.add_argument(
        "--no-pause-tags",
        dest="pause_tags",
        action="store_const",
        const=False,
        help="read [pause:1s] as text, instead of pausing",
    )
    add_markup_options(options)


def add_noise_options(options: "argparse._ActionsContainer") -> None:
    """Add `--sigma`, `--denoise`, `--refine` and `--postfilter`, whose defaults are the voice's."""
    options.add_argument("--sigma", type=finite_number, metavar="X", help="standard deviation of the vocoder's noise")
    options.add_argument(
        "--denoise", type=finite_number, metavar="X", help="how much of the vocoder's own tone is taken out"
    )
    options.add_argument(
        "--refine", type=int, metavar="PASSES", help="passes of mel refinement of the vocoder's output"
    )
    options.add_argument(
        "--postfilter",
        type=finite_number,
        metavar="X",
        help="how much noise between the harmonics is taken out, 0 to 1",
    )


def add_seed_option(options: "argparse._ActionsContainer") -> None:
    """Add `--seed`, which `parse_seed` reads."""
    options.add_argument("--seed", default="0", metavar="N", help="of the noise, or 'random' (default: %(default)s)")


def add_timestamps_option(options: "argparse._ActionsContainer") -> None:
    """Add `--timestamps`."""
    options.add_argument(
        "--timestamps", metavar="FILE", type=Path, help="write the times of words: .srt, .vtt, .TextGrid, .json or .ctm"
    )


def add_lexicon_option(options: "argparse._ActionsContainer") -> None:
    """Add `--lexicon`."""
    options.add_argument("--lexicon", metavar="FILE", type=Path, help="pronunciations of your own: 'word = phonemes'")


def add_engine_options(options: "argparse._ActionsContainer") -> None:
    """Add `--engine` and `--threads`."""
    options.add_argument("--engine", default="auto", metavar="NAME", help="what runs the models (default: auto)")
    options.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
