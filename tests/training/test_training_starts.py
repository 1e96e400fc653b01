"""Runs that start from other models: acoustic mels for a vocoder, new speakers and symbols, fine-tuning."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_runs import acoustic_preset, vocoder_preset

from glowvox.checkpoint.model_folder import load_model, read_card
from glowvox.cli.main import main
from glowvox.data.prepared import PreparedData
from glowvox.engines.machine import Processor
from glowvox.errors import TrainingError
from glowvox.models.glow_tts import GlowTTS
from glowvox.text.front_end import FRONT_END_VERSION
from glowvox.text.tokenizer import Tokenizer
from glowvox.training import loop
from glowvox.training.acoustic import train_acoustic
from glowvox.training.acoustic_mels import MelSource, with_acoustic_mels
from glowvox.training.start import StartOptions, fitted_to, joint_speakers, read_run_preset
from glowvox.training.utterances import TextContract, older_run
from glowvox.training.vocoder import train_vocoder


def options(run: Path, **settings: object) -> StartOptions:
    return StartOptions(run, device="cpu", tensorboard=False, **settings)


@pytest.fixture(scope="module")
def acoustic(prepared: Path, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("acoustic") / "run"
    train_acoustic(acoustic_preset(), [prepared], options(run))
    return run


def spoken_by(prepared: Path, folder: Path, names: tuple[str, ...]) -> Path:
    shutil.copytree(prepared, folder)
    for split in ("train", "validation"):
        rows = [json.loads(line) for line in (folder / f"{split}.jsonl").read_text().splitlines()]
        lines = [{**row, "speaker": names[number % len(names)]} for number, row in enumerate(rows)]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    return folder


def contract(*speakers: str, symbols: Tokenizer | None = None) -> TextContract:
    return TextContract(symbols or Tokenizer(), {}, speakers)


def model(n_speakers: int, seed: int, *, melody: bool = False) -> GlowTTS:
    tables = acoustic_preset(glow_tts={"melody": melody}).glow_tts
    config = type(tables)(
        **{**vars(tables), "n_symbols": len(Tokenizer()), "n_speakers": n_speakers}
        | {"speaker_channels": 4 if n_speakers > 1 else 0}
    )
    torch.manual_seed(seed)
    made = GlowTTS(config).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for name, buffer in made.named_buffers():
            if "initialised" in name:
                buffer.fill_(True)
    return made


def test_a_vocoder_learns_from_acoustic_mels(prepared: Path, acoustic: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    preset = vocoder_preset(training={"steps": 2, "validate_every": 2, "checkpoint_every": 2})
    train_vocoder(preset, [prepared], options(run), [MelSource(acoustic)])
    written = PreparedData(run / "mels" / f"0-{prepared.name}")
    for ours, theirs in zip(written.clips("train"), PreparedData(prepared).clips("train"), strict=True):
        assert ours.row == theirs.row
        (samples, mel), (natural_samples, natural) = ours.load(), theirs.load()
        np.testing.assert_array_equal(samples, natural_samples)
        assert mel.shape == natural.shape
        assert np.abs(mel - natural).mean() > 0.05
    assert read_card(run).provenance["mels_from"][0]["acoustic"] == "run"
    before = {path: path.stat().st_mtime_ns for path in (run / "mels").rglob("*.safetensors")}
    longer = vocoder_preset(training={"steps": 3, "validate_every": 3, "checkpoint_every": 3})
    with pytest.raises(TrainingError, match="name the model again with --mels-from"):
        train_vocoder(longer, [prepared], options(run, resume=True))
    assert train_vocoder(longer, [prepared], options(run, resume=True), [MelSource(acoustic)]) == 3
    assert {path: path.stat().st_mtime_ns for path in (run / "mels").rglob("*.safetensors")} == before


def test_each_data_set_may_have_an_acoustic_model_of_its_own(prepared: Path, acoustic: Path, tmp_path: Path) -> None:
    second, other = spoken_by(prepared, tmp_path / "second", ("hum",)), tmp_path / "other"
    preset = acoustic_preset(training={"steps": 1, "validate_every": 1, "checkpoint_every": 1})
    train_acoustic(preset, [second], options(other))
    run, tiny = tmp_path / "run", vocoder_preset(training={"steps": 1, "validate_every": 1, "checkpoint_every": 1})
    sources = [MelSource(acoustic), MelSource(other, 0.3)]
    train_vocoder(tiny, [prepared, second], options(run), sources)  # each model knows the speaker of its own data only
    told = [{"acoustic": acoustic.name, "temperature": 0.667}, {"acoustic": "other", "temperature": 0.3}]
    assert read_card(run).provenance["mels_from"] == told
    alone = with_acoustic_mels(PreparedData(second), sources[1], tmp_path / "alone").clips("train")
    written = PreparedData(run / "mels" / "1-second").clips("train")
    for ours, theirs in zip(written, alone, strict=True):
        np.testing.assert_array_equal(ours.load()[1], theirs.load()[1])
    with pytest.raises(TrainingError, match="2 acoustic models to take mels from, but 3 data sets"):
        train_vocoder(tiny, [prepared, second, prepared], options(tmp_path / "third"), sources)


def test_acoustic_mels_depend_on_the_model_the_temperature_and_nothing_else(
    prepared: Path, acoustic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mels(folder: str, temperature: float) -> list[np.ndarray]:
        made = with_acoustic_mels(PreparedData(prepared), MelSource(acoustic, temperature), tmp_path / folder)
        return [clip.load()[1].copy() for clip in made.clips("train")]

    first, warmer = mels("a", 0.0), mels("b", 0.5)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for one, other, warm in zip(first, mels("c", 0.0), warmer, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.abs(one - warm).max() > 0.01
    for one, again in zip(first, mels("b", 0.0), strict=True):  # another temperature: made anew
        np.testing.assert_array_equal(one, again)
    natural = [clip.load()[1] for clip in PreparedData(prepared).clips("train")]
    for one, recorded in zip(mels("d", 1.0), natural, strict=True):  # the recording's own latent
        assert np.abs(one - recorded).max() < 1e-2


def test_strangers_are_refused(prepared: Path, acoustic: Path, tmp_path: Path) -> None:
    other = spoken_by(prepared, tmp_path / "other", ("stranger",))
    with pytest.raises(TrainingError, match=r"'stranger'.*only buzz"):
        with_acoustic_mels(PreparedData(other), MelSource(acoustic), tmp_path / "mels")
    with pytest.raises(TrainingError, match="temperature"):
        with_acoustic_mels(PreparedData(prepared), MelSource(acoustic, -1.0), tmp_path / "mels")
    vocoder = tmp_path / "vocoder"
    train_vocoder(vocoder_preset(training={"steps": 1}), [prepared], options(vocoder))
    with pytest.raises(TrainingError, match="not an acoustic model"):
        with_acoustic_mels(PreparedData(prepared), MelSource(vocoder), tmp_path / "mels")
    with pytest.raises(TrainingError, match="holds a run already"):
        train_vocoder(vocoder_preset(), [prepared], options(vocoder), [MelSource(acoustic)])
    assert not (tmp_path / "mels").exists()


def test_one_speaker_becomes_several_who_begin_alike() -> None:
    old, new = model(1, 1), model(3, 2)
    fitted = fitted_to(contract("ann"), contract("ann", "bob", "cem"))(new, old.state_dict())
    assert "one speaker becomes 3 (ann, bob, cem)" in fitted.notes[0]
    new.load_state_dict({**new.state_dict(), **fitted.tensors})
    tokens, lengths = torch.arange(5, 17)[None], torch.tensor([12])
    mel, frames = torch.randn(1, 80, 40), torch.tensor([40])
    before, said = old(tokens, lengths, mel, frames), old.inverse(tokens, lengths)
    for speaker in range(3):
        who = torch.tensor([speaker])
        after = new(tokens, lengths, mel, frames, who)
        torch.testing.assert_close(after.latent, before.latent)
        torch.testing.assert_close(after.log_duration, before.log_duration)
        torch.testing.assert_close(new.inverse(tokens, lengths, speaker=who).mel, said.mel)


@pytest.mark.parametrize("speakers", [1, 2])
def test_a_model_gets_a_melody_that_begins_silent(speakers: int) -> None:
    names = ("ann", "bob")[:speakers]
    old, new = model(speakers, 1), model(speakers, 2, melody=True)
    fitted = fitted_to(contract(*names), contract(*names))(new, old.state_dict())
    assert "gets one, which begins silent" in fitted.notes[0]
    new.load_state_dict({**new.state_dict(), **fitted.tensors})
    tokens, lengths = torch.arange(5, 17)[None], torch.tensor([12])
    mel, frames, who = torch.randn(1, 80, 40), torch.tensor([40]), torch.tensor([speakers - 1])
    speaker = who if speakers > 1 else None
    torch.testing.assert_close(
        new(tokens, lengths, mel, frames, speaker).latent, old(tokens, lengths, mel, frames, speaker).latent
    )


def test_speakers_join_a_model_with_a_melody() -> None:
    old, new = model(1, 1, melody=True), model(2, 2, melody=True)
    fitted = fitted_to(contract("ann"), contract("ann", "bob"))(new, old.state_dict())
    new.load_state_dict({**new.state_dict(), **fitted.tensors})
    tokens, lengths = torch.arange(5, 17)[None], torch.tensor([12])
    said = old.inverse(tokens, lengths)
    for speaker in range(2):
        made = new.inverse(tokens, lengths, speaker=torch.tensor([speaker]))
        torch.testing.assert_close(made.mel, said.mel)
        torch.testing.assert_close(made.pitch, said.pitch)


def test_a_melody_is_learned_and_measured(prepared: Path, tmp_path: Path) -> None:
    preset = acoustic_preset(glow_tts={"melody": True}, acoustic_training={"pitch_steps": 20})
    train_acoustic(preset, [prepared], options(tmp_path / "run"))
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    trained = [row for row in rows if row["kind"] == "train"]
    validated = [row for row in rows if row["kind"] == "validation"]
    assert {"pitch_loss", "voicing_loss"} <= trained[-1].keys()
    assert {"pitch_error_semitones", "voicing_error"} <= validated[-1].keys()
    learned = load_model(tmp_path / "run")
    assert isinstance(learned, GlowTTS) and learned.melody is not None
    assert learned.melody.reader.fitted == 1.0
    tuned = with_acoustic_mels(PreparedData(prepared), MelSource(tmp_path / "run"), tmp_path / "mels")
    assert tuned.clips("train")


def test_speakers_and_symbols_keep_their_rows_by_name() -> None:
    fewer = Tokenizer.from_dict({**Tokenizer().to_dict(), "symbols": Tokenizer().to_dict()["symbols"][:-5]})
    old, new = model(2, 1), model(3, 2)
    tensors = old.state_dict()
    tensors["encoder.embedding.weight"] = tensors["encoder.embedding.weight"][:-5]
    fit = fitted_to(contract("ann", "bob", symbols=fewer), contract("bob", "cem", "ann"))
    fitted = fit(new, tensors)
    ours, theirs = fitted.tensors["speakers.weight"], tensors["speakers.weight"]
    assert torch.equal(ours[0], theirs[1])
    assert torch.equal(ours[2], theirs[0])
    torch.testing.assert_close(ours[1], theirs.mean(0) + new.state_dict()["speakers.weight"][1])
    assert torch.equal(fitted.tensors["encoder.embedding.weight"][:-5], tensors["encoder.embedding.weight"])
    assert len(fitted.tensors["encoder.embedding.weight"]) == len(Tokenizer())
    assert any("new: cem" in note for note in fitted.notes)


def test_whose_voice_it_becomes() -> None:
    assert joint_speakers(("dora",), ("ann",)) == ("dora",)
    assert joint_speakers(("dora",), ("ann", "bob")) == ("dora", "ann", "bob")
    assert joint_speakers(("bob", "dora"), ("ann", "bob")) == ("bob", "dora", "ann")


def test_adding_a_speaker_and_resuming(
    prepared: Path, acoustic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = spoken_by(prepared, tmp_path / "both", ("buzz", "hum"))
    run = tmp_path / "run"
    command = ["train", "acoustic", "--data", str(both), "--run", str(run), "--no-tensorboard", "--device", "cpu"]
    steps = ["--set", "training.checkpoint_every=2", "--set", "training.validate_every=2"]
    start = [*command, "--init-from", str(acoustic), *steps]
    assert main([*start, "--set", "training.steps=2"]) == 0
    assert "one speaker becomes 2 (buzz, hum)" in capsys.readouterr().err
    assert read_card(run).config.n_speakers == 2
    third = spoken_by(prepared, tmp_path / "third", ("tone",))
    alone = [*command, "--init-from", str(run), *steps, "--set", "training.steps=2"]
    alone[alone.index(str(both))], alone[alone.index(str(run))] = str(third), str(tmp_path / "more")
    assert main(alone) == 0
    assert "new: tone" in capsys.readouterr().err
    assert read_card(tmp_path / "more").provenance["text"]["speakers"] == ["tone", "buzz", "hum"]

    def resumed(data: Path, run: Path, steps: int) -> int:
        command = ["train", "acoustic", "--data", str(data), "--run", str(run), "--resume", "--no-tensorboard"]
        return main([*command, "--device", "cpu", "--set", f"training.steps={steps}"])

    assert resumed(third, tmp_path / "more", 3) == 0
    assert load_model(tmp_path / "more").config.n_speakers == 3
    assert resumed(third, acoustic, 9) == 2
    assert "does not know the speaker 'tone'" in capsys.readouterr().err


def test_who_taught_a_model_is_never_forgotten(prepared: Path, acoustic: Path, tmp_path: Path) -> None:
    teacher = {"teacher": "Stub", "version": "1.0", "licence": "CC0-1.0", "voices": ["ann"]}
    taught = tmp_path / "taught"
    shutil.copytree(prepared, taught)
    dataset = json.loads((taught / "dataset.json").read_text())
    (taught / "dataset.json").write_text(json.dumps({**dataset, "teacher": teacher}))
    assert "teachers" not in read_card(acoustic).provenance

    def train(data: Path, run: str, steps: int, *more: str) -> list[object]:
        command = ["train", "acoustic", "--data", str(data), "--run", str(tmp_path / run), "--no-tensorboard"]
        every = ["--set", "training.checkpoint_every=1", "--set", "training.validate_every=1"]
        assert main([*command, "--device", "cpu", *every, "--set", f"training.steps={steps}", *more]) == 0
        return list(read_card(tmp_path / run).provenance["teachers"])

    assert train(taught, "first", 1, "--init-from", str(acoustic)) == [teacher]
    # A recording that the model learns from afterwards does not undo it, nor does an interruption.
    assert train(prepared, "second", 1, "--init-from", str(tmp_path / "first")) == [teacher]
    assert train(prepared, "second", 2, "--resume") == [teacher]


def test_without_a_preset_the_model_says_what_it_is(acoustic: Path, tmp_path: Path) -> None:
    preset = read_run_preset("glow_tts", None, tmp_path, ["training.steps=7"], resume=False, init_from=acoustic)
    assert preset.glow_tts == read_card(acoustic).config
    assert (preset.training.steps, preset.training.learning_rate) == (7, 2e-4)


def test_only_a_vocoder_takes_acoustic_mels(
    prepared: Path, acoustic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "acoustic", "--init-from", str(acoustic), "--mels-from", str(acoustic)]
    assert main([*command, "--data", str(prepared), "--run", str(tmp_path / "run")]) == 2
    assert "train vocoder" in capsys.readouterr().err


def test_data_of_an_older_front_end_is_told_in_one_line(prepared, tmp_path, capsys):
    old, new = (shutil.copytree(prepared, tmp_path / name) for name in ("old", "new"))
    for folder, version in ((old, None), (new, FRONT_END_VERSION)):
        dataset = json.loads((folder / "dataset.json").read_text())
        dataset.pop("front_end_version", None)
        (folder / "dataset.json").write_text(json.dumps(dataset | ({"front_end_version": version} if version else {})))
    assert PreparedData(old).front_end_version == 1
    train_acoustic(acoustic_preset(), [old, new], options(tmp_path / "run"))
    told = [line for line in capsys.readouterr().err.splitlines() if "text front end" in line]
    assert len(told) == 1
    assert f"{old}: prepared with version 1 of the text front end, read with version {FRONT_END_VERSION} now" in told[0]


def test_a_run_of_an_older_front_end_is_told_in_one_line_when_it_goes_on(acoustic, tmp_path):
    card = read_card(acoustic)
    assert older_run(acoustic) == ()
    old = tmp_path / "old"
    shutil.copytree(acoustic, old)
    config = next(old.rglob("config.json"))
    text = config.read_text(encoding="utf-8")
    version = card.provenance["text"]["front_ends"]["en-us"]["version"]
    for path in old.rglob("config.json"):
        path.write_text(text.replace(version, "1+" + version.partition("+")[2]), encoding="utf-8")
    [line] = older_run(old)
    assert (
        f"{old}: begun with version 1 of the text front end (en-us), goes on with version {FRONT_END_VERSION}" in line
    )


@pytest.mark.parametrize(
    ("precision", "features", "told"),
    [
        ("bfloat16", ("avx2",), True),
        ("bfloat16", ("avx512_bf16",), False),
        ("auto", ("avx2",), False),
    ],
)
def test_bfloat16_that_may_be_emulated_is_told(prepared, tmp_path, monkeypatch, precision, features, told) -> None:
    monkeypatch.setattr(loop, "processor", lambda: Processor("Test CPU", 2, features))
    settings = {"precision": precision, "steps": 1, "validate_every": 1, "checkpoint_every": 1}
    train_vocoder(vocoder_preset(training=settings), [prepared], options(tmp_path / "run"))
    assert ("set training.precision=auto" in (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8")) == told


def test_a_model_too_large_for_the_memory_is_one_line(tmp_path: Path, prepared: Path, monkeypatch) -> None:
    def too_large(_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr("glowvox.training.start.build", too_large)
    with pytest.raises(TrainingError, match="too large for the memory of cpu; choose a smaller preset"):
        train_vocoder(vocoder_preset(), [prepared], options(tmp_path / "run"))
