"""The reader refuses what it cannot trust, in one line that says what to do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from glowvox.data.preparation import PrepareSettings, prepare_corpus
from glowvox.data.prepared import PreparedData
from glowvox.errors import DataError, MelError

pytestmark = pytest.mark.usefixtures("no_plots")


@pytest.fixture
def data(make_corpus: Callable[..., Path], tmp_path: Path) -> Path:
    prepare_corpus(make_corpus({"a": "One.", "b": "Two.", "c": "Three."}), tmp_path / "data", PrepareSettings())
    return tmp_path / "data"


def test_another_contract_is_refused_and_spelled_out(data: Path) -> None:
    opened = PreparedData(data)
    opened.require(opened.audio)
    with pytest.raises(MelError, match="hop_length is 256, the model wants 128"):
        opened.require(replace(opened.audio, hop_length=128))


def test_damaged_dataset_files_are_refused(data: Path) -> None:
    path = data / "dataset.json"
    good = json.loads(path.read_text())
    for change, message in (
        ({"format_version": 2}, "format version 2, this program reads 1"),
        ({"format_version": None}, "format version None"),
        ({"audio": None}, "the mel contract 'audio' is missing"),
        ({"audio": {**good["audio"], "hop_length": 128}}, "fingerprint"),
        ({"audio": {**good["audio"], "hop": 128}}, "unknown setting 'hop'"),
    ):
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(DataError, match=message):
            PreparedData(data)
    for text in ("", "[]", "{", "\xff"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(DataError, match=r"dataset\.json"):
            PreparedData(data)


def test_damaged_lists_are_refused(data: Path) -> None:
    path = data / "train.jsonl"
    lines = path.read_text().splitlines()
    row = json.loads(lines[0])
    for line, message in (
        ("{", "line 1"),
        ("7", "expected a table"),
        (json.dumps({**row, "file": "../../etc/passwd"}), "outside the data set"),
        (json.dumps({**row, "file": "/etc/passwd"}), "outside the data set"),
        (json.dumps({**row, "samples": row["samples"] + 1}), "are not"),
        (json.dumps({**row, "samples": 0, "frames": 0}), "0 frames"),
        (json.dumps({**row, "text": 7}), "row.text|expected str"),
        (json.dumps({**row, "colour": "red"}), "unknown setting 'colour'"),
    ):
        path.write_text("\n".join([line, *lines[1:]]))
        with pytest.raises(DataError, match=message):
            PreparedData(data)
    path.unlink()
    with pytest.raises(DataError, match=r"train\.jsonl"):
        PreparedData(data)


def test_a_clip_that_is_not_its_row_is_refused(data: Path) -> None:
    first, second = PreparedData(data).clips("train")[:2]
    swapped = replace(first, row=replace(first.row, samples=first.samples - 256, frames=first.frames - 1))
    with pytest.raises(DataError, match="are not those of clip"):
        swapped.load()
    second.path.unlink()
    with pytest.raises(DataError, match="glowvox prepare"):
        second.load()


def test_unknown_splits_and_empty_folders(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no split 'test'; there are train and validation"):
        PreparedData(data).clips("test")
    with pytest.raises(DataError, match="glowvox prepare"):
        PreparedData(tmp_path / "nowhere")
