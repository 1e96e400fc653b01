"""Markup as programs send it (Markdown, HTML, formulas): its text, with the ends of its sentences and warnings."""

from glowvox.text.markup.marked_stream import (
    MARKUPS,
    MarkupStream,
    PlainText,
    check_markup,
    is_ssml,
    to_plain,
)
from glowvox.text.markup.spoken_text import MarkupOptions, SentenceEnd

__all__ = [
    "MARKUPS",
    "MarkupOptions",
    "MarkupStream",
    "PlainText",
    "SentenceEnd",
    "check_markup",
    "is_ssml",
    "to_plain",
]
