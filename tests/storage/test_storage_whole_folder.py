"""A folder takes the place of another one whole, or not at all."""

from pathlib import Path

import pytest

from glowvox.errors import DataError
from glowvox.storage.whole_folder import replacing_folder


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_new_folder_and_those_above_it_are_made(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "a" / "b", DataError) as made:
        made.mkdir()
        (made / "file").write_text("new")
        assert not (tmp_path / "a" / "b").exists()
    assert _contents(tmp_path / "a" / "b") == {"file": "new"}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_what_was_there_is_gone(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "old").write_text("old")
    with replacing_folder(tmp_path / "b", DataError) as made:
        made.mkdir()
        (made / "file").write_text("new")
        assert _contents(tmp_path / "b") == {"old": "old"}
    assert _contents(tmp_path / "b") == {"file": "new"}


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), DataError("a bad file"), ValueError("a fault")])
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path, problem: BaseException) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "old").write_text("old")
    with pytest.raises(type(problem)), replacing_folder(tmp_path / "b", DataError) as made:
        made.mkdir()
        (made / "file").write_text("new")
        raise problem
    assert _contents(tmp_path / "b") == {"old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(DataError, match=r"b: cannot be written \(\w.*\)$"),
        replacing_folder(tmp_path / "file" / "b", DataError),
    ):
        pass
    with (
        pytest.raises(DataError, match="cannot be written"),
        replacing_folder(tmp_path / "b", DataError),
    ):
        pass  # nothing was made
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_former_folder_is_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept")
    moved = Path.replace

    def failing(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(DataError, match="No space left"), replacing_folder(folder, DataError) as made:
        made.mkdir()
    assert (folder / "kept.txt").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
