"""Copy synthesis compared: fairness, figures, reports, and what happens to bad recordings and bad vocoders."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from glowvox.audio.files import bits_per_dimension, write_audio
from glowvox.audio.griffin_lim import griffin_lim
from glowvox.config.audio import AudioConfig
from glowvox.errors import AudioError, DataError, MelError
from glowvox.evaluate.clips import Recording, read_recordings
from glowvox.evaluate.measures import Measure
from glowvox.evaluate.page import report_page, ticks, write_page
from glowvox.evaluate.report import Figure, Report, best_system, mean_figure, report_table
from glowvox.evaluate.signal_checks import match_level
from glowvox.evaluate.vocoder import NATURAL, evaluate_vocoder

CONFIG = AudioConfig()
HOP = CONFIG.hop_length


def _speech(seconds: float = 1.5, pitch: float = 140.0) -> np.ndarray:
    time = np.arange(int(seconds * CONFIG.sample_rate)) / CONFIG.sample_rate
    phase = 2 * np.pi * np.cumsum(pitch + 30 * np.sin(2 * np.pi * 0.7 * time)) / CONFIG.sample_rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 40))
    noise = 1e-4 * np.random.default_rng(0).standard_normal(time.size)
    return (0.1 * voice * np.maximum(np.sin(2 * np.pi * 4 * time), 0.0) ** 2 + noise).astype(np.float32)


RECORDINGS = [
    Recording("one", _speech(), "the first"),
    Recording("two", _speech(1.2, 200.0), "the second"),
    Recording("short", np.ones(300, np.float32), "gone"),
    Recording("silent", np.zeros(30000, np.float32), "gone"),
]


class Oracle:
    """Vocoders that know the answer: they return the next original, changed by a function."""

    def __init__(self, change) -> None:
        usable = [r.samples[: r.samples.size // HOP * HOP] for r in RECORDINGS[:2]]
        self._queue = [usable[0], *usable]  # The first is played once more, to warm up.
        self._change = change

    def __call__(self, mel: np.ndarray) -> np.ndarray:
        original = self._queue.pop(0)
        assert mel.shape == (CONFIG.n_mels, original.size // HOP)
        return self._change(original)


@pytest.fixture(scope="module")
def report() -> Report:
    noise = np.random.default_rng(1)
    time = np.arange(100000) / CONFIG.sample_rate
    tone = 0.003 * np.sin(2 * np.pi * CONFIG.sample_rate / 8 * time).astype(np.float32)
    return evaluate_vocoder(
        {
            "exact": Oracle(lambda x: x),
            "quiet": Oracle(lambda x: 0.25 * x),
            "noisy <script>": Oracle(lambda x: x + 0.02 * noise.standard_normal(x.size).astype(np.float32)),
            "whistling": Oracle(lambda x: x + tone[: x.size]),
            "silent": Oracle(lambda x: np.zeros_like(x)),
        },
        RECORDINGS,
        CONFIG,
        likelihoods={"exact": lambda samples, mel: 4.0 * samples.size},
        title="A <title> & more",
        settings={"Noise": "none <&>"},
    )


def test_the_original_is_perfect(report: Report) -> None:
    exact = report.systems["exact"]
    assert exact["pesq"].value == pytest.approx(4.64, abs=0.01)
    assert exact["stoi"].value == pytest.approx(1.0)
    for key in ("mcd", "mel_l1", "mel_l2", "f0_cents", "voicing_error", "level_db"):
        assert exact[key].value == pytest.approx(0.0, abs=1e-5)


def test_nobody_wins_by_level_and_the_gain_is_reported(report: Report) -> None:
    exact, quiet = report.systems["exact"], report.systems["quiet"]
    assert quiet["level_db"].value == pytest.approx(20 * np.log10(4))
    assert quiet["pesq"].value == pytest.approx(exact["pesq"].value, abs=1e-3)
    assert quiet["mcd"].value == pytest.approx(0.0, abs=1e-3)


def test_faults_show_in_their_figures(report: Report) -> None:
    exact, noisy, whistling = (report.systems[name] for name in ("exact", "noisy <script>", "whistling"))
    assert noisy["pesq"].value < exact["pesq"].value - 0.5
    assert noisy["mcd"].value > 3.0
    assert whistling["tonal_worst"].value > exact["tonal_worst"].value + 10
    assert exact["tonal_worst"].value == pytest.approx(report.systems[NATURAL]["tonal_worst"].value)


def test_silence_is_noted_and_gets_no_invented_figures(report: Report) -> None:
    assert set(report.systems["silent"]) - {"peak_mib"} == {"rtf"}
    assert "silent" in report.clips[0].outputs["silent"].notes[0]


def test_likelihood_in_nats_and_bits(report: Report) -> None:
    assert report.systems["exact"]["nats_per_sample"].value == pytest.approx(-4.0)
    assert report.systems["exact"]["bits_per_dim"].value == pytest.approx(15 - 4 / np.log(2))
    assert "nats_per_sample" not in report.systems["quiet"]


def test_bits_of_uniform_samples_are_their_bits() -> None:
    """A uniform density over [-1, 1) tells nothing about 16-bit samples: 16 bits each."""
    assert bits_per_dimension(np.log(2.0)) == pytest.approx(16.0)


def test_unusable_recordings_are_listed(report: Report) -> None:
    assert [clip.id for clip in report.clips] == ["one", "two"]
    assert "300 samples" in report.left_out["short"] and "silent" in report.left_out["silent"]


def test_nothing_usable_and_wrong_outputs_are_refused() -> None:
    with pytest.raises(DataError, match="none of 2 recordings"):
        evaluate_vocoder({}, RECORDINGS[2:], CONFIG)
    with pytest.raises(AudioError, match=r"'bad' returned shape \(5,\)"):
        evaluate_vocoder({"bad": lambda mel: np.zeros(5, np.float32)}, RECORDINGS[:1], CONFIG)


def test_a_word_error_rate_needs_texts() -> None:
    untold = [Recording("one", _speech(), None)]
    with pytest.raises(DataError, match="needs texts"):
        evaluate_vocoder({}, untold, CONFIG, recognise_words=True)


def test_word_errors_enter_the_report() -> None:
    progress: list[str] = []
    result = evaluate_vocoder(
        {"Griffin-Lim": lambda mel: griffin_lim(mel, CONFIG, iterations=2)},
        [RECORDINGS[0], Recording("untold", _speech(1.1), None)],
        CONFIG,
        recognise_words=True,
        progress=lambda done, total, what: progress.append(what),
    )
    assert set(result.systems[NATURAL]) >= {"wer", "cer"}
    assert result.systems[NATURAL]["wer"].clips == 1
    assert result.clips[0].outputs["Griffin-Lim"].heard is not None
    assert result.clips[1].outputs["Griffin-Lim"].heard is None
    assert progress[-1] == "recognising Griffin-Lim"


def test_json_holds_every_figure(report: Report, tmp_path: Path) -> None:
    report.write_json(tmp_path / "report.json")
    data = json.loads((tmp_path / "report.json").read_text())
    assert data["systems"]["quiet"]["level_db"]["value"] == report.systems["quiet"]["level_db"].value
    assert data["clips"][1]["outputs"]["exact"]["values"]["stoi"] == pytest.approx(1.0)
    assert set(data["left_out"]) == {"short", "silent"}
    with pytest.raises(DataError, match="does not exist"):
        report.write_json(tmp_path / "no" / "report.json")


def test_table_aligns_and_marks_the_best(report: Report) -> None:
    lines = report_table(report).splitlines()
    assert lines[0].split() == ["natural", "speech", "exact", "quiet", "noisy", "<script>", "whistling", "silent"]
    whistle = next(line for line in lines if line.startswith("Tonal energy, worst line [dB]"))
    assert whistle.split()[-1] == "-"
    assert max(map(len, lines)) == len(lines[1])


@pytest.mark.parametrize(
    ("better", "values", "expected"),
    [
        ("higher", (9.0, 1.0, 2.0), "b"),
        ("lower", (0.0, 1.0, 2.0), "a"),
        ("zero", (0.0, -1.0, 0.5), "b"),
        ("neither", (0.0, 1.0, 2.0), None),
        ("lower", (0.0, 1.001, 1.002), None),
        ("higher", (9.0, 1.0, None), None),
    ],
)
def test_best_system_leaves_out_natural_speech_and_ties(better: str, values: tuple, expected: str | None) -> None:
    measure = Measure("key", "Label", "dB", better, 2, "What it means.")
    systems = {
        name: {} if value is None else {"key": Figure(value)}
        for name, value in zip(("natural", "a", "b"), values, strict=True)
    }
    result = Report("title", "vocoder", 22050, (measure,), systems, ())
    assert best_system(result, measure) == expected
    assert report_table(result).count("*") == (expected is not None)


@pytest.mark.parametrize(
    ("margins", "expected"),
    [((0.1, 0.1), "b"), ((0.4, 0.4), None), ((0.6, None), None), ((None, 0.6), None), ((None, None), "b")],
)
def test_no_winner_within_the_margins(margins: tuple, expected: str | None) -> None:
    measure = Measure("key", "Label", "dB", "higher", 2, "What it means.")
    figures = [Figure(value, margin) for value, margin in zip((3.0, 3.5), margins, strict=True)]
    systems = {"natural": {"key": Figure(9.0)}, "a": {"key": figures[0]}, "b": {"key": figures[1]}}
    result = Report("title", "vocoder", 22050, (measure,), systems, ())
    assert best_system(result, measure) == expected
    assert report_table(result).count("*") == (expected is not None)


@pytest.mark.parametrize(("clips", "expected"), [(1, None), (2, "b"), (0, "b")])
def test_one_clip_makes_no_winner(clips: int, expected: str | None) -> None:
    measure = Measure("key", "Label", "dB", "higher", 2, "What it means.")
    systems = {name: {"key": Figure(value, None, clips)} for name, value in (("natural", 9.0), ("a", 3.0), ("b", 3.5))}
    result = Report("title", "vocoder", 22050, (measure,), systems, ())
    assert best_system(result, measure) == expected


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "image", "line", "polyline"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_escaped_labelled_and_asks_for_nothing(report: Report) -> None:
    text = report_page(report)
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "<title>A &lt;title&gt; &amp; more</title>" in text and "none &lt;&amp;&gt;" in text
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "http://" not in text.replace("http-equiv", "") and "https://" not in text
    assert "url(" not in text and "@import" not in text
    players = [attributes for tag, attributes in page.tags if tag == "audio"]
    assert len(players) == 2 * 6
    assert len({player["aria-label"] for player in players}) == len(players)
    assert all(attributes["aria-label"] for tag, attributes in page.tags if tag == "svg")
    assert next(attributes for tag, attributes in page.tags if tag == "html")["lang"] == "en"


def test_page_holds_no_more_players_than_asked_for(report: Report, tmp_path: Path) -> None:
    write_page(report, tmp_path / "index.html", players=1)
    text = (tmp_path / "index.html").read_text()
    assert text.count("<audio") == 6
    assert "The first 1 of 2 clips." in text


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [(0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 11.025, 5, [0, 5, 10]), (0, 0.03, 3, [0, 0.01, 0.02, 0.03])],
)
def test_ticks_are_round(low: float, high: float, about: int, expected: list) -> None:
    assert ticks(low, high, about) == pytest.approx(expected)


def test_mean_and_margin() -> None:
    figure = mean_figure([1.0, 3.0, float("nan")])
    assert figure is not None
    assert (figure.value, figure.clips) == (2.0, 2)
    assert figure.margin == pytest.approx(1.96 * np.sqrt(2.0) / np.sqrt(2.0))
    assert mean_figure([float("nan")]) is None
    assert mean_figure([1.0]).margin is None


def test_level_of_silence_is_refused() -> None:
    with pytest.raises(AudioError, match="silent"):
        match_level(np.ones(4), np.zeros(4))
    with pytest.raises(AudioError, match="not finite"):
        match_level(np.ones(4), np.full(4, np.nan))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "wavs").mkdir(parents=True)
    for index in range(6):
        write_audio(folder / "wavs" / f"clip{index}.wav", _speech(0.5), 16000)
    rows = "".join(f"clip{index}|text {index}\n" for index in range(6))
    (folder / "metadata.csv").write_text(rows, encoding="utf-8")
    return folder


def test_recordings_of_a_folder(corpus: Path) -> None:
    assert [r.id for r in read_recordings(corpus, CONFIG)] == [f"clip{index}" for index in range(6)]
    few = read_recordings(corpus, CONFIG, limit=3)
    assert [(r.id, r.text) for r in few] == [("clip0", "text 0"), ("clip2", "text 2"), ("clip4", "text 4")]
    assert few[0].samples.size == pytest.approx(_speech(0.5).size * 22050 / 16000, abs=2)
    named = read_recordings(corpus, CONFIG, ids=["clip5", "clip1", "clip5"])
    assert [r.id for r in named] == ["clip5", "clip1"]


def test_unknown_ids_and_empty_folders_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no recording 'nobody' \(2 ids are missing\)"):
        read_recordings(corpus, CONFIG, ids=["clip1", "nobody", "no-one"])
    with pytest.raises(DataError, match="at least 1"):
        read_recordings(corpus, CONFIG, limit=0)
    with pytest.raises(DataError):
        read_recordings(tmp_path / "nothing", CONFIG)


def test_prepared_data_of_another_contract_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises((DataError, MelError)):
        read_recordings(tmp_path, CONFIG)
