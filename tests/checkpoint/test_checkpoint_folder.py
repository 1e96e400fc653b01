"""Our own folders: saved whole or not at all, loaded strictly."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from glowvox.checkpoint import model_folder as folder_module
from glowvox.checkpoint.convert import describe
from glowvox.checkpoint.model_folder import (
    find_model_folder,
    load_matching,
    load_model,
    load_tensors,
    read_card,
    save_model,
)
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import CheckpointError
from glowvox.models.glow_tts import GlowTTS
from glowvox.models.waveglow import WaveGlow

CONFIGS = {
    "waveglow": WaveGlowConfig(
        audio=AudioConfig(n_mels=8), n_flows=3, n_early_every=2, n_channels=8, n_skip_channels=4, n_layers=2
    ),
    "actnorm": WaveGlowConfig(
        audio=AudioConfig(n_mels=8, f_max=7000.0),
        n_flows=2,
        n_channels=8,
        n_skip_channels=8,
        n_layers=2,
        actnorm=True,
        conditioning="mel-rate",
        max_log_scale=2.0,
    ),
    "glow_tts": GlowTTSConfig(
        n_symbols=11,
        n_speakers=3,
        speaker_channels=4,
        hidden_channels=8,
        filter_channels=12,
        duration_channels=8,
        n_encoder_layers=2,
        decoder_channels=8,
        n_blocks=2,
        n_layers=2,
    ),
}


def new_model(name: str = "waveglow") -> nn.Module:
    config = CONFIGS[name]
    torch.manual_seed(3)
    model = GlowTTS(config) if isinstance(config, GlowTTSConfig) else WaveGlow(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for buffer in model.buffers():
            buffer.fill_(1)  # as after a data-dependent start
    return model


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_model(new_model(), tmp_path / "model", provenance={"licence": "CC0"}, steps=12)
    return tmp_path / "model"


def error_of(path: Path, load: Any = load_model) -> str:
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 500
    return message


def edit(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "config.json").read_text())
    for key, value in changes.items():
        place = content
        *path, last = key.split("__")
        for part in path:
            place = place[part]
        place[last] = value
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", list(CONFIGS))
def test_round_trip(tmp_path: Path, name: str) -> None:
    model = new_model(name)
    save_model(model, tmp_path / "deep" / "m", provenance={"data": "tones", "licence": "CC0"}, steps=5)
    state = torch.random.get_rng_state()
    loaded = load_model(tmp_path / "deep" / "m")
    assert torch.equal(torch.random.get_rng_state(), state)
    assert type(loaded) is type(model) and not loaded.training and loaded.config == CONFIGS[name]
    found = loaded.state_dict()
    assert list(found) == list(model.state_dict())
    for key, tensor in model.state_dict().items():
        assert torch.equal(found[key], tensor) and found[key].dtype == tensor.dtype, key
    card = read_card(tmp_path / "deep" / "m")
    assert (card.steps, card.provenance) == (5, {"data": "tones", "licence": "CC0"})
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["m"]


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    model = new_model()
    contents = set()
    for number in range(8):
        save_model(model, tmp_path / str(number), provenance={"b": 1, "a": {"d": 2, "c": 3}})
        contents.add(
            tuple((tmp_path / str(number) / name).read_bytes() for name in ("config.json", "model.safetensors"))
        )
    assert len(contents) == 1


def test_half_precision_is_saved_as_float32(tmp_path: Path) -> None:
    save_model(new_model().bfloat16(), tmp_path / "m")
    assert {tensor.dtype for tensor in load_tensors(tmp_path / "m").values()} == {torch.float32}


def test_only_our_models_are_saved(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Linear cannot be saved"):
        save_model(nn.Linear(2, 2), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_nothing_is_overwritten_unasked(saved: Path) -> None:
    before = (saved / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="exists already"):
        save_model(new_model("actnorm"), saved)
    assert (saved / "model.safetensors").read_bytes() == before
    save_model(new_model("actnorm"), saved, replace=True)
    assert load_model(saved).config == CONFIGS["actnorm"]
    (saved / "notes.txt").write_text("dear to somebody")
    with pytest.raises(CheckpointError, match="would be lost"):
        save_model(new_model(), saved, replace=True)
    assert (saved / "notes.txt").exists()


def test_a_failed_write_leaves_the_old_model(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_tensors(saved)

    def full_disk(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(folder_module, "save_file", full_disk)
        with pytest.raises(CheckpointError, match="No space left"):
            save_model(new_model("actnorm"), saved, replace=True)
    rename, calls = Path.replace, []

    def fails_the_second_time(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    with monkeypatch.context() as context:
        context.setattr(Path, "replace", fails_the_second_time)
        with pytest.raises(CheckpointError, match="Input/output error"):
            save_model(new_model("actnorm"), saved, replace=True)
    after = load_tensors(saved)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training run with three steps."""
    folder = tmp_path / "run"
    for step in (100, 200, 300):
        save_model(new_model(), folder / "checkpoints" / f"{step:06d}", steps=step)
        (folder / "checkpoints" / f"{step:06d}" / "optimiser.safetensors").write_bytes(b"")
    (folder / "last").write_text("checkpoints/000300\n")
    return folder


def test_training_runs(run: Path) -> None:
    assert read_card(run).steps == 300
    (run / "best").write_text("checkpoints/000200")
    assert read_card(run).steps == 200
    assert read_card(run / "last").steps == 300
    assert read_card(run / "checkpoints" / "000100").steps == 100
    assert read_card(run / "checkpoints" / "000100" / "config.json").steps == 100
    (run / "best").unlink()
    (run / "best").symlink_to("checkpoints/000100")
    assert read_card(run).steps == read_card(run / "best").steps == 100
    found = describe(run)
    assert (found["kind"], found["steps"], found["checkpoints"]) == ("run", 100, ["000100", "000200", "000300"])
    assert isinstance(load_model(run), WaveGlow)


@pytest.mark.parametrize("content", [b"", b"\n", b"../../elsewhere", b"/etc", b"a\nb", b"\xff", b"x" * 9000, b"a\0b"])
def test_pointers_that_lead_astray(run: Path, content: bytes) -> None:
    (run / "best").write_bytes(content)
    assert "best" in error_of(run)


def test_paths_without_a_model(run: Path, tmp_path: Path) -> None:
    (run / "best").write_text("checkpoints/000999")
    assert "no such folder" in error_of(run)
    (run / "best").unlink()
    (run / "last").unlink()
    assert "neither 'best' nor 'last'" in error_of(run, find_model_folder)
    assert "no such folder" in error_of(tmp_path / "absent")
    assert "has no config.json" in error_of(tmp_path)
    (tmp_path / "x.pt").write_bytes(b"x")
    assert "glowvox convert" in error_of(tmp_path / "x.pt")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_truncated_or_corrupt(saved: Path, file: str) -> None:
    content = (saved / file).read_bytes()
    rng = random.Random(4)
    for length in [0, 1, 8, 9, len(content) - 3, *(rng.randrange(len(content) - 2) for _ in range(20))]:
        (saved / file).write_bytes(content[:length])
        assert "damaged" in error_of(saved)
    (saved / file).write_bytes(rng.randbytes(1000))
    assert "damaged" in error_of(saved)
    (saved / file).unlink()
    assert f"has no {file}" in error_of(saved)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not the configuration of a Glowvox model"),
        ({"format_version": 2}, "format version '2', this program reads 1"),
        ({"format_version": None}, "format version"),
        ({"type": "vits"}, "unknown model type 'vits'"),
        ({"type": ["waveglow"]}, "unknown model type"),
        ({"model": 3}, "expected a table"),
        ({"model__n_flows": "3"}, "model.n_flows: expected int"),
        ({"model__surplus": 1}, "unknown setting 'surplus'"),
        ({"model__n_group": 7}, "n_group must be even"),
        ({"model__audio__hop_length": 128}, "does not have the fingerprint"),
        ({"mel_fingerprint": "0"}, "does not have the fingerprint"),
        ({"steps": "many"}, "'steps' must be a whole number"),
        ({"provenance": []}, None),
        ({"provenance": [1]}, "'provenance' a table"),
        ({"model__n_flows": 4}, "are missing"),
        ({"model__n_flows": 2}, "are unknown to the model"),
        ({"model__n_channels": 16}, "has the shape"),
        ({"model__n_channels": 10**12}, "'n_channels' = '1000000000000' is more than any model has"),
        ({"model__n_flows": 10**9}, "more than any model has"),
        ({"model__n_flows": 10**6}, "n_flows must be at most 1000"),
        ({"model__n_channels": 10**6}, "n_channels = 1,000,000 does not fit"),
        ({"model__n_layers": 40}, "does not fit"),
    ],
)
def test_configurations_that_do_not_fit(saved: Path, changes: dict[str, Any], message: str | None) -> None:
    edit(saved, **changes)
    if message is None:
        assert read_card(saved).provenance == {}
    else:
        assert message in error_of(saved)


@pytest.mark.parametrize("content", ["[]", "null", "[" * 50_000, '{"a": ' * 50_000])
def test_configurations_that_are_no_table(saved: Path, content: str) -> None:
    (saved / "config.json").write_text(content)
    assert "config.json" in error_of(saved)


def test_loading_is_strict(saved: Path) -> None:
    tensors = load_file(saved / "model.safetensors")
    name = "steps.1.coupling.network.end.bias"
    for changed, message in (
        ({key: tensor for key, tensor in tensors.items() if key != name}, f"1 are missing, the first of them '{name}'"),
        (tensors | {"surplus": torch.ones(1)}, "1 are unknown to the model, the first of them 'surplus'"),
        (tensors | {name: torch.ones(3)}, f"'{name}' has the shape (3,)"),
        (tensors | {name: tensors[name] / 0}, "not finite"),
    ):
        save_file(changed, saved / "model.safetensors")
        assert message in error_of(saved)


def test_partial_load_reports_what_it_skipped() -> None:
    source, target = new_model("glow_tts").state_dict(), GlowTTS(CONFIGS["glow_tts"])
    source["speakers.weight"] = torch.ones(7, 4)
    del source["encoder.embedding.weight"]
    source["surplus"] = torch.ones(2)
    before = target.state_dict()["speakers.weight"].clone()
    report = load_matching(target, source)
    assert report.missing == ("encoder.embedding.weight",)
    assert report.unexpected == ("surplus",)
    assert report.mismatched == ("speakers.weight ((7, 4), (3, 4))",)
    assert len(report.loaded) == len(target.state_dict()) - 2 and 0.9 < report.share < 1
    assert torch.equal(target.state_dict()["speakers.weight"], before)
    for name in report.loaded:
        assert torch.equal(target.state_dict()[name], source[name])
    assert "speakers.weight" in str(report) and "surplus" in str(report)


def test_partial_load_fails_when_too_little_fits() -> None:
    target = WaveGlow(CONFIGS["waveglow"])
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(CheckpointError, match="too little fits"):
        load_matching(target, new_model("actnorm").state_dict(), minimum_share=0.9)
    with pytest.raises(CheckpointError, match="too little fits"):
        load_matching(target, {}, minimum_share=0.0)
    assert all(torch.equal(target.state_dict()[name], tensor) for name, tensor in before.items())


def test_a_published_model_is_never_initialised_again(tmp_path: Path) -> None:
    model = load_model_with_actnorm(tmp_path)
    mel, audio = torch.zeros(1, 8, 2), 50 * torch.ones(1, 512)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train()(audio, mel)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())


def load_model_with_actnorm(folder: Path) -> nn.Module:
    save_model(new_model("actnorm"), folder / "m")
    return load_model(folder / "m")
