"""Judging texts by likelihood: wrong ones are found, right ones are not, and the scale is robust."""

import json
import math

import numpy as np
import pytest
from tiny_voice import acoustic_model, vocoder_model

from glowvox.checkpoint.model_folder import save_model
from glowvox.engines.torch_engine import TorchAcoustic
from glowvox.errors import AudioError, CheckpointError, DataError, TextError
from glowvox.evaluate.batch_alignment import ModelChoice, open_aligner
from glowvox.evaluate.score import (
    FitMeter,
    Measured,
    Reference,
    Scale,
    bits_per_sample,
    chosen_texts,
    judged,
    measure_files,
    opened_vocoder,
    read_reference,
    reference_of,
    score_row,
    score_table,
    write_scores,
)
from glowvox.synthesis.aligner import Aligner, TextSide
from glowvox.synthesis.options import SpeechOptions
from glowvox.synthesis.sentence_mels import MelSynthesizer
from glowvox.text.front_end import load_front_end
from glowvox.text.tokenizer import Tokenizer

TEXTS = (
    "We were away all year.",
    "Some boys run to the river in the morning.",
    "He never told anybody what had happened there.",
    "Green apples fall from the old tree behind the house.",
    "You may take whatever you like.",
    "The doctor gave her a letter and left without a word.",
    "Nobody knows.",
    "It was raining when they came home from the theatre.",
)


def text_side():
    return TextSide(Tokenizer().to_dict(), {"en-us": load_front_end("en-us").to_dict()}, ("ann",))


@pytest.fixture(scope="module")
def meter():
    return FitMeter(Aligner(TorchAcoustic(acoustic_model()), text_side()), TEXTS)


def spoken(aligner, text, seed):
    """Return the mel of a text as the model itself says it, at three frames a token or so."""
    maker = MelSynthesizer(aligner.engine, Tokenizer())
    read = aligner.reader.read(text)
    options = SpeechOptions(temperature=0.3, seed=seed)
    requests = [maker.request(one.sentence, None, options) for one in read.requests]
    statistics = maker.statistics(requests)
    rng = np.random.default_rng(seed)
    frames = [np.round(one.weights + rng.uniform(0.5, 1.5, len(one.weights))).astype(np.int64) for one in statistics]
    return np.concatenate([one.mel for one in maker.mels(requests, statistics, frames)], axis=1)


def test_wrong_texts_are_told_from_right_ones(meter):
    aligner, rows = meter.aligner, {}
    for number, text in enumerate(TEXTS):
        heard = aligner.hear(spoken(aligner, text, number))
        rows[number, "right"] = meter.measure(heard, text, {})
        words = text.split()
        if len(words) > 4:
            rows[number, "cut"] = meter.measure(heard, " ".join(words[: len(words) // 2]), {})
        try:
            rows[number, "other"] = meter.measure(heard, TEXTS[number - 1], {})
        except AudioError:
            continue
    right = [fit for (_, kind), fit in rows.items() if kind == "right"]
    wrong = [fit for (_, kind), fit in rows.items() if kind != "right"]
    assert min(fit.gain for fit in right) > max(fit.gain for fit in wrong)
    cut = [fit.pace for (_, kind), fit in rows.items() if kind == "cut"]
    assert min(cut) > max(fit.pace for fit in right)
    reference = reference_of("these", [vars(fit) for fit in right], TEXTS, least=4)
    made = [Measured(f"{number}-{kind}", TEXTS[number], 1.0, vars(fit)) for (number, kind), fit in sorted(rows.items())]
    order = [row.measured.id.split("-")[1] for row in judged(made, reference)]
    assert "right" not in order[: len(wrong)]


def test_a_text_is_never_compared_with_itself(meter):
    heard = meter.aligner.hear(spoken(meter.aligner, TEXTS[1], 1))
    same = FitMeter(meter.aligner, [TEXTS[1].upper(), TEXTS[1], TEXTS[4]])
    assert same.measure(heard, TEXTS[1], {}).gain > 0.05
    with pytest.raises(TextError, match="at least two other texts"):
        FitMeter(meter.aligner, ["...", TEXTS[0]])
    short = meter.aligner.hear(spoken(meter.aligner, "No.", 1))
    with pytest.raises(AudioError):
        FitMeter(meter.aligner, TEXTS[:2]).measure(short, "No.", {})


def test_the_scale_is_robust():
    rng = np.random.default_rng(0)
    rows = [{"x": float(value)} for value in [*rng.normal(3.0, 2.0, 400), *[1e6] * 20]]
    scale = reference_of("a", rows, ()).scales["x"]
    assert scale.median == pytest.approx(3.0, abs=0.3) and scale.spread == pytest.approx(2.0, abs=0.3)
    assert scale.z(9.0) == pytest.approx(3.0, abs=0.5)
    assert math.isfinite(reference_of("a", [{"x": 1.0}] * 30, ()).scales["x"].z(2.0))
    with pytest.raises(DataError, match="3 recordings are too few"):
        reference_of("a", rows[:3], ())


def test_a_reference_is_kept(tmp_path):
    names = ("nats_per_frame", "gain", "worst", "pace")
    reference = Reference("data", 30, {name: Scale(1.0, 0.5) for name in names}, ("One.", "Zwei ä."))
    place = tmp_path / "r.json"
    reference.save(place)
    assert read_reference(place) == reference
    for content, message in (
        ("{", "not JSON"),
        ("[]", "not a reference"),
        ('{"format": "x"}', "not a reference"),
        (json.dumps({**json.loads(place.read_text()), "format_version": 99}), "version 99"),
        (json.dumps({**json.loads(place.read_text()), "scales": {"gain": {}}}), "damaged"),
        (
            json.dumps({**json.loads(place.read_text()), "scales": {"gain": {"median": 0, "spread": 1}}}),
            "needs the scales",
        ),
        (json.dumps(json.loads(place.read_text())).replace("0.5", "0.0"), "must be a positive number"),
        (json.dumps({**json.loads(place.read_text()), "texts": None}), "damaged"),
    ):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(DataError, match=message):
            read_reference(tmp_path / "bad.json")
    with pytest.raises(DataError, match="cannot read"):
        read_reference(tmp_path / "none.json")


def test_one_text_for_all_recordings_is_told_at_once(tmp_path):
    save_model(acoustic_model(), tmp_path / "acoustic", provenance={"text": vars(text_side()) | {"speakers": ["ann"]}})
    with pytest.raises(TextError, match="at least two other texts"):
        measure_files(ModelChoice(str(tmp_path / "acoustic")), [], ["Only this."])


def test_chosen_texts_are_of_all_lengths():
    texts = ["a" * length for length in range(1, 200)] * 2
    chosen = chosen_texts(texts, 10)
    assert len(set(chosen)) == 10 and len(chosen[0]) < 5 and len(chosen[-1]) > 170
    assert chosen_texts(["b", "a", "b"], 10) == ("a", "b")


def test_text_mismatch_score_adds_up_what_speaks_against_a_text():
    names = ("nats_per_frame", "gain", "worst", "pace")
    reference = Reference("r", 30, {name: Scale(0.0, 1.0) for name in names}, ())

    def mismatch(**values):
        return judged([Measured("a", "t", 1.0, dict.fromkeys(names, 0.0) | values)], reference)[0].text_mismatch_score

    assert mismatch() == 0.0
    assert (
        mismatch(gain=-6.0)
        == mismatch(worst=-6.0)
        == mismatch(pace=6.0)
        == mismatch(pace=-6.0)
        > 3.0
        > mismatch(gain=6.0)
    )
    outlier = judged([Measured("a", "t", 1.0, dict.fromkeys(names, 0.0) | {"nats_per_frame": -7.0})], reference)
    assert outlier[0].outlier_score == 7.0 and outlier[0].text_mismatch_score == 0.0


def test_rows_tables_and_files(tmp_path):
    names = ("nats_per_frame", "gain", "worst", "pace")
    reference = Reference("r", 30, {name: Scale(0.0, 1.0) for name in names}, ())
    rows = judged(
        [
            Measured("good", "A text,\nwith a comma", 1.0, dict.fromkeys(names, 0.5)),
            Measured("bad", "B", 1.0, None, "too short"),
        ],
        reference,
    )
    assert [row.measured.id for row in rows] == ["bad", "good"]
    assert score_row(rows[0])["text_mismatch_score"] is None and score_row(rows[1])["z_gain"] == 0.5
    assert "bad: too short" in score_table(rows) and len(score_table(rows).splitlines()) == 3
    write_scores(rows, tmp_path / "s.csv")
    write_scores(rows, tmp_path / "s.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["bad", "good"]
    assert (
        (tmp_path / "s.csv")
        .read_text(encoding="utf-8")
        .startswith("id,text_mismatch_score,outlier_score,seconds,text,problem,nats")
    )


def test_bits_of_long_recordings_come_in_pieces():
    model = vocoder_model()
    samples = (0.1 * np.random.default_rng(0).standard_normal(22050)).astype(np.float32)
    short = bits_per_sample(model, samples, 22050)
    assert 0 < short < 40
    long = bits_per_sample(model, np.tile(samples, 45), 22050)
    assert long == pytest.approx(short, rel=0.05)
    with pytest.raises(AudioError, match="too few"):
        bits_per_sample(model, samples[:500], 22050)


def test_models_that_do_not_fit_are_named(tmp_path):
    save_model(acoustic_model(), tmp_path / "acoustic")
    with pytest.raises(CheckpointError, match="is no vocoder"):
        opened_vocoder(str(tmp_path / "acoustic"))
    with pytest.raises(CheckpointError, match="does not say how its texts are read"):
        open_aligner(tmp_path / "acoustic")
    save_model(acoustic_model(), tmp_path / "damaged", provenance={"text": {"tokenizer": {}, "front_ends": 3}})
    with pytest.raises(CheckpointError, match="is damaged"):
        open_aligner(tmp_path / "damaged")
    save_model(vocoder_model(), tmp_path / "vocoder", provenance={"text": {}})
    with pytest.raises(CheckpointError):
        open_aligner(tmp_path / "vocoder")
