"""`glowvox explain`: what the text front end makes of a text."""

import argparse
import json
import sys

from glowvox.cli.markup_options import add_markup_options

SUMMARY = "show what the front end makes of a text: normalised text, words, phonemes, and where each came from"
EXAMPLE = """examples:
  glowvox explain "Dr. Smith paid $3.50 for v2.1."
  glowvox explain --lexicon names.txt --json "Nguyen lives in Łódź."
  echo "Ich habe 3 Hunde." | glowvox explain --language de -
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("text", metavar="TEXT", help="text to explain, or - to read standard input")
    parser.add_argument("--language", default="en-us", metavar="TAG", help="en-us, en-gb or de-de (default: en-us)")
    parser.add_argument("--lexicon", metavar="FILE", help="pronunciations of your own: lines 'word = phonemes'")
    parser.add_argument("--ssml", action="store_true", help="the text is an SSML document")
    parser.add_argument(
        "--back-end", default="gruut", metavar="NAME", help="gruut, or espeak-ng for the program (default: gruut)"
    )
    parser.add_argument("--no-pause-tags", action="store_true", help="read [pause:1s] as text")
    add_markup_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Explain the text; warnings go to standard error, or into the JSON object."""
    from glowvox.errors import TextError
    from glowvox.synthesis.script import read_lexicon
    from glowvox.text.front_end import load_front_end

    notes: list[str] = []
    lexicon = None if args.lexicon is None else read_lexicon(args.lexicon, notes.append)
    front_end = load_front_end(args.language, lexicon=lexicon, back_end=args.back_end)
    text = args.text
    if text == "-":
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise TextError(f"standard input is not UTF-8 text (byte {error.start})") from error
    utterance = front_end.process(
        text,
        pause_tags=not args.no_pause_tags,
        markup="ssml" if args.ssml else args.markup or "auto",
        read_code=bool(args.read_code),
        strict_ssml=bool(args.strict_ssml),
    )
    words = [
        {"text": word.text, "phonemes": " ".join(word.phonemes), "source": word.source}
        | ({"reading": word.reading, "why": word.why} if word.reading else {})
        for word in utterance.words
    ]
    if args.json:
        result = {"normalized": utterance.normalized, "words": words, "warnings": [*notes, *utterance.warnings]}
        print(json.dumps(result, ensure_ascii=False))
        return 0
    print(utterance.normalized)
    widths = [max((len(word[column]) for word in words), default=0) for column in ("text", "phonemes")]
    for word in words:
        told = f"  {word['text']:{widths[0]}}  {word['phonemes']:{widths[1]}}  {word['source']}"
        if "reading" in word:
            told += f": {word['reading']}" + (f" ({word['why']})" if word["why"] else "")
        print(told)
    for warning in (*notes, *utterance.warnings):
        print(f"warning: {warning}", file=sys.stderr)
    return 0
