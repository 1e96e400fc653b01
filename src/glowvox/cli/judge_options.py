"""Options of both forms of `glowvox evaluate`: which clips, who judges, beside what, and what is written."""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glowvox.cli.number_options import whole_number
from glowvox.cli.progress import counted_progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from glowvox.evaluate.report import Report
    from glowvox.evaluate.word_errors import Recogniser


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add which clips are taken, and what is written."""
    parser.add_argument("-o", "--output", required=True, type=Path, help="folder for report.json and index.html")
    parser.add_argument("--clips", type=int, help="at most so many, spread evenly (default: 40, or all of --ids)")
    parser.add_argument("--ids", type=Path, metavar="FILE", help="exactly the clips named in this file, one id a line")
    parser.add_argument(
        "--jobs", type=whole_number(1), default=1, help="processes for the recogniser (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: %(default)s)")
    parser.add_argument(
        "--players", type=whole_number(0), default=12, help="clips to hear on the page (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")


def add_judge_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--whisper",
        type=Path,
        metavar="FOLDER",
        help="recognise with this Whisper model (CTranslate2's format; extra 'judges'; default: GLOWVOX_WHISPER or one "
        "that is installed, else PocketSphinx)",
    )
    parser.add_argument(
        "--no-judges", action="store_true", help="no predicted opinion scores (DistillMOS, DNSMOS; extra 'judges')"
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="measure another system's files ID.wav too; may be given repeatedly",
    )


@dataclass(frozen=True)
class Judges:
    """Who judges a report."""

    recogniser: "Recogniser | None"
    recogniser_name: str
    opinions: bool

    def judged(self, report: "Report", progress: Any) -> "Report":
        """Return the report with predicted opinion scores, where their packages are installed and wanted."""
        if not self.opinions:
            return report
        from glowvox.evaluate.judges import OpinionScores, with_opinion_scores

        return with_opinion_scores(report, OpinionScores(), progress)


def open_judges(args: argparse.Namespace, language: str, *, recognise: bool) -> Judges:
    """Return the judges that the options and what is installed allow for.

    Args:
        args: parsed options.
        language: of the speech.
        recognise: whether words are recognised at all.
    """
    from glowvox.evaluate.judges import WhisperRecogniser, judges_installed, whisper_folder
    from glowvox.evaluate.word_errors import POCKETSPHINX

    opinions = not args.no_judges and judges_installed()
    folder = whisper_folder(args.whisper) if recognise else None
    if folder is None:
        if recognise:
            print(f"recogniser: {POCKETSPHINX}", file=sys.stderr)
        return Judges(None, POCKETSPHINX, opinions)
    recogniser = WhisperRecogniser(folder, language.split("-")[0])
    return Judges(recogniser, recogniser.name, opinions)


def read_others(
    args: argparse.Namespace, ids: Iterable[str], sample_rate: int
) -> "dict[str, dict[str, NDArray[np.float32]]]":
    """Return what the systems of `--beside` said, by their names.

    Raises:
        DataError: an option without a name or a folder, a name twice, or a file that is missing.
    """
    from glowvox.errors import DataError
    from glowvox.evaluate.clips import read_outputs

    names = list(ids)
    others: dict[str, dict[str, NDArray[np.float32]]] = {}
    for given in args.beside:
        name, equals, folder = given.partition("=")
        if not (name and equals and folder) or name in others:
            raise DataError(f"--beside {given}: give each system a name of its own and a folder, as in rival=speech/")
        others[name] = read_outputs(Path(folder), names, sample_rate)
    return others


def make_output(args: argparse.Namespace) -> None:
    """Make the folder of the report, before anything takes long.

    Raises:
        DataError: it cannot be made.
    """
    from glowvox.errors import DataError

    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{args.output}: cannot be made ({error.strerror})") from error


def write_report(args: argparse.Namespace, report: "Report", judges: Judges) -> None:
    """Have a report judged, write it as JSON and as a page, and print its table or JSON."""
    from glowvox.evaluate.page import write_page
    from glowvox.evaluate.report import STARS, report_table

    report = judges.judged(report, counted_progress())
    report.write_json(args.output / "report.json")
    write_page(report, args.output / "index.html", players=args.players)
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
        return
    table = report_table(report)
    print(table)
    if " *" in table:
        print(f"\n{STARS}")
    for name, reason in report.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    print(f"\nreport, to be opened in a browser: {args.output / 'index.html'}")
