"""Mels in `.pt` files."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from glowvox.checkpoint.foreign import read_mel_pt
from glowvox.errors import CheckpointError, MelError

MEL = torch.randn(80, 13, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        MEL,
        MEL[None],
        MEL.double(),
        MEL.t().contiguous().t(),
        [MEL],
        {"mel": MEL, "alignment": torch.ones(3)},
        {"mel_outputs_postnet": MEL[None], "mel_outputs": MEL[None] + 1},
        {"anything": MEL, "rate": 22050},
        torch.nn.Parameter(MEL),
    ],
)
def test_mels(tmp_path: Path, value: object, zipped: bool) -> None:
    torch.save(value, tmp_path / "m.pt", _use_new_zipfile_serialization=zipped)
    mel = read_mel_pt(tmp_path / "m.pt")
    assert mel.dtype == np.float32
    np.testing.assert_array_equal(mel, MEL.numpy())


def test_half_precision(tmp_path: Path) -> None:
    for kind in (torch.float16, torch.bfloat16):
        torch.save(MEL.to(kind), tmp_path / "m.pt")
        np.testing.assert_array_equal(read_mel_pt(tmp_path / "m.pt"), MEL.to(kind).float().numpy())


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [MEL, MEL],
        {"a": MEL, "b": MEL},
        torch.ones(3),
        torch.ones(80, 0),
        torch.ones(2, 80, 3),
        torch.ones(1, 1, 80, 3),
        torch.ones(80, 3, dtype=torch.int64),
        torch.full((80, 3), float("nan")),
        torch.nn.Linear(2, 2),
        "text",
    ],
)
def test_files_without_one_mel(tmp_path: Path, value: object) -> None:
    torch.save(value, tmp_path / "m.pt")
    with pytest.raises(MelError, match=r"m\.pt: ") as caught:
        read_mel_pt(tmp_path / "m.pt")
    assert "\n" not in str(caught.value)


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch canary",)


def test_code_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save([MEL, _Runs()], tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="system"):
        read_mel_pt(tmp_path / "m.pt")
    assert not (tmp_path / "canary").exists()
