"""Options that `glowvox say` has in common with the other commands that speak."""

import argparse
from pathlib import Path

from glowvox.cli.markup_options import add_markup_options


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
    options.add_argument("--speed", type=float, metavar="X", help=speed)
    options.add_argument("--pitch-shift", type=float, metavar="SEMITONES", help="how much higher; below 0: lower")
    options.add_argument(
        "--pitch-range", type=float, metavar="X", help="width of the pitch contour; 0: monotonous, 1: natural"
    )
    options.add_argument("--temperature", type=float, metavar="X", help="liveliness of the speech; 0: none")
    options.add_argument(
        "--no-pause-tags",
        dest="pause_tags",
        action="store_const",
        const=False,
        help="read [pause:1s] as text, instead of pausing",
    )
    add_markup_options(options)


def add_noise_options(options: "argparse._ActionsContainer") -> None:
    """Add `--sigma` and `--denoise`, whose defaults are the voice's."""
    options.add_argument("--sigma", type=float, metavar="X", help="standard deviation of the vocoder's noise")
    options.add_argument("--denoise", type=float, metavar="X", help="how much of the vocoder's own tone is taken out")


def add_seed_option(options: "argparse._ActionsContainer") -> None:
    """Add `--seed`, which `parse_seed` reads."""
    options.add_argument("--seed", default="0", metavar="N", help="of the noise, or 'random' (default: %(default)s)")


def add_lexicon_option(options: "argparse._ActionsContainer") -> None:
    """Add `--lexicon`."""
    options.add_argument("--lexicon", metavar="FILE", type=Path, help="pronunciations of your own: 'word = phonemes'")


def add_engine_options(options: "argparse._ActionsContainer") -> None:
    """Add `--engine` and `--threads`."""
    options.add_argument("--engine", default="auto", metavar="NAME", help="what runs the models (default: auto)")
    options.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
