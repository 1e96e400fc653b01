"""The options that say what a text is written in, the same for every command that reads one."""

import argparse

_MARKUPS = ("auto", "plain", "markdown", "html", "ssml")


def add_markup_options(parser: "argparse._ActionsContainer") -> None:
    """Declare them; what is not given is None."""
    parser.add_argument(
        "--markup",
        choices=_MARKUPS,
        help="what the text is written in; auto: what is surely Markdown, HTML or SSML is read so (default: auto)",
    )
    parser.add_argument(
        "--read-code",
        action="store_const",
        const=True,
        help="read blocks of code, instead of leaving them out with a warning",
    )
    parser.add_argument(
        "--strict-ssml",
        action="store_const",
        const=True,
        help="refuse SSML that holds what is not spoken, instead of passing it over with a warning",
    )
