"""`glowvox distill`: have another system speak texts, as a corpus to learn from."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.interruption import ended_as_interrupted

if TYPE_CHECKING:
    from glowvox.data.distillation import Check, DistillationReport

SUMMARY = "have another system (the teacher) speak a file of texts, and write a corpus that 'prepare' reads"
EXAMPLE = """\
The teacher is a command line, a server with OpenAI's speech endpoint, or a Python function speak(text, voice, seed)
that returns samples and their rate. TEXTS has a text per line (.csv: id|text; .jsonl: objects with text and id). Every
clip is checked; what fails is listed in left-out.jsonl. Interrupted and started again, it goes on. The exit status is 1
where a text has no clip: not spoken, not usable, or a malformed line; what --check left out does not count.

Whether a model may teach another one is for its licence to say, and for you to know. Its name, version and licence are
written on every model and voice that learns from the corpus.

examples:
  glowvox distill texts.txt -o corpus/ --teacher espeak-ng --teacher-version 1.51 --licence GPL-3.0-or-later \\
    --voice en-us --command 'espeak-ng -v {voice} -w {output} -f {text_file}'
  glowvox distill texts.csv -o corpus/ --teacher Kokoro-82M --teacher-version 1.0 --licence Apache-2.0 \\
    --voice am_michael --voice bf_emma --server http://127.0.0.1:8880/v1 --jobs 2
  glowvox distill texts.csv -o corpus/ --teacher hibari-tts --teacher-version 0.2.1 --licence Apache-2.0 \\
    --voice heart --function teacher.py:speak --check"""

_KEY_VARIABLE = "OPENAI_API_KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("texts", type=Path, metavar="TEXTS", help="file of texts in UTF-8 (.txt, .csv, .jsonl)")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="CORPUS", help="folder of the corpus")
    parser.add_argument("--teacher", required=True, metavar="NAME", help="the teacher's name, for the card")
    parser.add_argument("--teacher-version", required=True, metavar="VERSION", help="its version, for the card")
    parser.add_argument("--licence", required=True, help="of the teacher and its speech: an SPDX expression")
    parser.add_argument(
        "--voice",
        required=True,
        action="append",
        metavar="NAME",
        help="a voice of the teacher; may be given repeatedly",
    )
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument(
        "--command",
        dest="command_line",
        metavar="LINE",
        help="with {text} or {text_file} (else the text comes on standard input), {output} (else audio is read from "
        "standard output), {voice} and {seed}",
    )
    ways.add_argument("--server", metavar="URL", help="address with the version, such as http://127.0.0.1:8000/v1")
    ways.add_argument("--function", metavar="PLACE", help="module:function or file.py:function")
    parser.add_argument("--server-model", default="tts-1", metavar="NAME", help="model to ask a server for (tts-1)")
    parser.add_argument(
        "--server-key",
        default=_KEY_VARIABLE,
        metavar="VARIABLE",
        help="environment variable with the server's key, used where it is set (default: %(default)s)",
    )
    parser.add_argument("--language", default="en-us", help="language of the texts (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="texts spoken at a time (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="for one text (default: %(default)g)"
    )
    parser.add_argument("--check", action="store_true", help="recognise every clip, and leave out what was misread")
    parser.add_argument(
        "--most-errors",
        type=float,
        default=0.5,
        metavar="RATE",
        help="word error rate from which on --check leaves a clip out (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from glowvox.cli.progress import Progress
    from glowvox.cli.streams import warn_as
    from glowvox.data.distillation import DistillationSettings, TeacherCard, distill
    from glowvox.data.teachers import open_teacher
    from glowvox.errors import ConfigError
    from glowvox.text.front_end import resolve_language
    from glowvox.text.gruut_back_end import LANGUAGES

    language = resolve_language(args.language)
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise ConfigError(f"--language: no voice can learn '{args.language}'; there are front ends for {known}")
    card = TeacherCard(args.teacher, args.teacher_version, args.licence, tuple(args.voice))
    teacher = open_teacher(
        command=args.command_line,
        server=args.server,
        function=args.function,
        timeout=args.timeout,
        model=args.server_model,
        key=os.environ.get(args.server_key, ""),
    )
    settings = DistillationSettings(language=language, jobs=args.jobs)
    check = _recognised(language, args.most_errors) if args.check else None
    judged = f"word error rate below {args.most_errors:g}" if args.check else ""
    progress = Progress("clips", begins="reading the texts")
    try:
        with ended_as_interrupted():
            report = distill(args.texts, args.output, card, teacher, settings, check, progress, judged=judged)
    except KeyboardInterrupt:
        warn_as("distill")(f"stopped: what is in {args.output} is kept, start again to go on")
        raise
    if args.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        _tell(report, args.output)
    return 1 if report.is_partial else 0


def _tell(report: "DistillationReport", output: Path) -> None:
    from collections import Counter

    from glowvox.cli.streams import warn_as
    from glowvox.errors import counted

    others = f"; {counted(report.others, 'clip')} of other texts and voices beside them" if report.others else ""
    print(f"{counted(report.kept, 'clip')}, {report.seconds / 3600:.2f} h: {output}{others}")
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for finding in report.findings:
        if finding.kind == "encoding":
            warn_as("distill")(f"{finding.subject} is {finding.reason}")
        else:
            reasons.setdefault((finding.severity, finding.kind), Counter())[finding.reason] += 1
    for (severity, kind), found in sorted(reasons.items()):
        reason, count = found.most_common(1)[0]
        which = "" if len(found) == 1 else f"most often ({count}): " if count > 1 else "such as: "
        print(f"{severity}: {kind}: {found.total()}: {which}{reason}")
    if any(severity == "left out" for severity, _ in reasons):
        print(f"each of them, with its reason: {output / 'left-out.jsonl'}")
    print(f"next: glowvox prepare {output} -o data/")


def _recognised(language: str, most_errors: float) -> "Check":
    """Return a check that recognises a clip and compares it with its text, both spelled out by the front end."""
    import threading

    from glowvox.errors import ConfigError, TextError
    from glowvox.evaluate.word_errors import recognise, word_errors
    from glowvox.text.front_end import load_front_end

    if not language.startswith("en"):
        raise ConfigError(f"--check recognises English only, not '{language}'")
    if not most_errors > 0:
        raise ConfigError(f"--most-errors must be more than 0, got {most_errors}")
    front_end = load_front_end(language)
    one_at_a_time = threading.Lock()

    def check(samples: Any, rate: int, text: str) -> str | None:
        with one_at_a_time:
            heard = recognise([samples], rate)[0]
            try:
                meant = " ".join(word.text for word in front_end.process(text).words)
            except TextError as error:
                return str(error)
        rate_of_errors = word_errors([meant or text], [heard]).word_error_rate
        return None if rate_of_errors < most_errors else f"word error rate {rate_of_errors:.2f}: heard '{heard[:200]}'"

    print("every clip is recognised: the recogniser reads a fifth of natural speech wrong", file=sys.stderr)
    return check
