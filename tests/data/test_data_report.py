"""The report: what the data can support, plots where they can be drawn, and a page that quotes nothing unescaped."""

import subprocess
import sys
from typing import Any

import pytest

from glowvox.config.audio import AudioConfig
from glowvox.data import report as report_html
from glowvox.data.checks import Measurements
from glowvox.data.corpora import left_out, note
from glowvox.data.prepared import ClipRow
from glowvox.data.report import ReportedClip, build_report, capability, render_html


def report() -> dict[str, Any]:
    clips = []
    for n in range(30):
        row = ClipRow(f"c{n}", f"Sentence {n} of it.", f"<i>{n % 2}", "en", 256 * 90, 90, f"clips/c{n}", 1.0)
        measured = Measurements(1.0 + n / 30, 22050, 1, 0.5, -20.0 - n / 10, 0.0, 0.0, 0.9, f"{n}")
        clips.append(ReportedClip(row, "validation" if n < 3 else "train", measured))
    findings = [note("n", f"x{n}", "r & r") for n in range(25)] + [left_out("bad", "<script>", "'\"&<>")]
    return build_report("<corpus>", "plain folder", clips, findings, AudioConfig(), {"trim": True})


def test_the_report_counts() -> None:
    made = report()
    assert made["splits"]["train"]["clips"] == 27
    assert made["splits"]["validation"] == {
        "clips": 3,
        "sentences": 3,
        "hours": pytest.approx(3 * 90 * 256 / 22050 / 3600, abs=1e-4),
    }
    assert made["memory_bytes"] == 30 * 90 * (512 + 320)
    assert made["kinds"] == {"bad": 1, "n": 25}
    assert made["severities"] == {"left out": 1, "note": 25}
    assert len(made["clips"]) == 30
    assert made["statistics"]["seconds"] == {
        "smallest": 1.0,
        "median": pytest.approx(1.4835, abs=1e-3),
        "largest": 1.967,
    }


def test_the_page_has_plots_and_every_finding_escaped() -> None:
    page = render_html(report())
    assert page.count("data:image/png;base64,") == 3
    assert page.count("<tr><td>x") == 25
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<i>" not in page
    assert page == render_html(report())
    assert "prefers-color-scheme: dark" in page
    assert "initial-scale=1" in page
    assert page.count('<div class="wide"') == page.count("<table>")  # a table scrolls by itself on a phone


def test_without_matplotlib_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_html, "can_plot", lambda: False)
    page = render_html(report())
    assert "matplotlib is not installed" in page
    assert "data:image" not in page


@pytest.mark.parametrize(
    ("hours", "vocoder", "acoustic"),
    [
        (0.05, "too little", "too little"),
        (0.3, "fine-tune only", "fine-tune only"),
        (0.6, "small preset", "fine-tune only"),
        (5.0, "small preset", "uneven"),
        (24.0, "any preset", "enough"),
    ],
)
def test_what_the_data_supports(hours: float, vocoder: str, acoustic: str) -> None:
    first, second = capability(hours, hours, {"a": hours})
    assert vocoder in first
    assert acoustic in second


def test_what_speakers_and_texts_add() -> None:
    lines = capability(3.0, 0.0, {"a": 2.99, "b": 0.01})
    assert "no text" in lines[1]
    assert lines[2] == "1 of 2 speakers have less than 5 minutes: b"


def test_preparing_needs_neither_torch_nor_matplotlib_at_import() -> None:
    program = (
        "import sys, glowvox.data.preparation, glowvox.data.batches, glowvox.cli.prepare; "
        "print(sorted({'torch', 'matplotlib', 'glowvox.models'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
