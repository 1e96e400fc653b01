"""Published WaveGlow checkpoints of every layout give the reference output."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from original_waveglow import apart, module_from, pickled
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from glowvox.checkpoint.convert import convert_checkpoint
from glowvox.checkpoint.model_folder import load_model, save_tensors
from glowvox.checkpoint.original_names import fold_weight_norm
from glowvox.errors import CheckpointError
from glowvox.models.waveglow import WaveGlow

NAMES = ("waveglow_tiny", "waveglow_12flows")


def close(found: Tensor, expected: Tensor, relative: float = 1e-4) -> None:
    error = (found - expected).abs().max() / expected.abs().max()
    assert error < relative, float(error)


def model_of(path: Path, folder: Path, **options: Any) -> WaveGlow:
    converted = convert_checkpoint(path, **options)
    save_tensors(converted.tensors, converted.card, folder, replace=True)
    model = load_model(folder)
    assert isinstance(model, WaveGlow)
    return model


def weights(golden: Path, name: str = "waveglow_tiny") -> dict[str, Tensor]:
    """The parameters under NVIDIA's names, weight normalisation folded."""
    arrays = {key: tensor.numpy() for key, tensor in load_file(golden / f"{name}.weights.safetensors").items()}
    return {key: torch.from_numpy(array) for key, array in fold_weight_norm(arrays).items()}


@pytest.fixture(scope="module")
def expected(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Our parameters of the tiny model."""
    model = model_of(golden / "waveglow_tiny.official.pt", tmp_path_factory.mktemp("tiny") / "m")
    return dict(model.state_dict())


def same(model: WaveGlow, expected: dict[str, Tensor], relative: float = 1e-6) -> None:
    found = model.state_dict()
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        close(found[name], tensor, relative)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", ["official.pt", "weights.safetensors"])
def test_reference_output(golden: Path, tmp_path: Path, name: str, suffix: str) -> None:
    model = model_of(golden / f"{name}.{suffix}", tmp_path / "m")
    vectors = load_file(golden / f"{name}.vectors.safetensors")
    facts = json.loads((golden / f"{name}.json").read_text())
    with torch.no_grad():
        output = model(vectors["audio"], vectors["mel"])
        noise = [vectors[key] for key in sorted(vectors, reverse=True) if key.startswith("infer.noise.")]
        audio = model.inverse(torch.cat(noise, 1) * facts["infer_sigma"], vectors["mel"])
    batch = vectors["audio"].shape[0]
    log_det = sum(vectors[key].sum((1, 2)) for key in vectors if key.startswith("forward.log_s."))
    close(output.latent, vectors["forward.z"])
    close(output.log_det, log_det + vectors["forward.log_det_w"].sum() / batch)
    close(audio, vectors["infer.audio"])
    for sigma, loss in facts["loss"].items():
        energy = output.latent.square().sum() / (2 * float(sigma) ** 2)
        found = (energy - output.log_det.sum()) / output.latent.numel()
        assert abs(float(found) - loss) < 1e-4 * abs(loss)


def test_what_was_found(golden: Path) -> None:
    found = {name: convert_checkpoint(golden / f"{name}.official.pt") for name in NAMES}
    for name, converted in found.items():
        wanted = json.loads((golden / f"{name}.json").read_text())
        sizes = wanted["waveglow_config"]
        config = converted.card.config
        assert converted.weight_norm == wanted["weight_norm"]
        assert converted.card.steps == 1234
        assert config.audio.n_mels == sizes["n_mel_channels"]
        for key in ("n_flows", "n_group", "n_early_every", "n_early_size"):
            assert getattr(config, key) == sizes[key]
        for key in ("n_layers", "n_channels", "kernel_size"):
            assert getattr(config, key) == sizes["WN_config"][key]
        assert "glow.WaveGlow" in converted.layout
        assert converted.card.provenance["converted_from"] == f"{name}.official.pt"


@pytest.mark.parametrize("layout", ["plain", "model", "deep-learning-examples", "data-parallel", "twice", "legacy"])
def test_state_dicts(golden: Path, tmp_path: Path, expected: dict[str, Tensor], layout: str) -> None:
    state = load_file(golden / "waveglow_tiny.weights.safetensors")
    path = tmp_path / "x.pt"
    content: dict[str, Any] = state
    if layout == "model":
        content = {"model": state, "iteration": 3, "optimizer": {"state": {}}}
    elif layout == "deep-learning-examples":
        merged = apart(weights(golden), oldest=False)
        content = {
            "epoch": 4,
            "state_dict": {f"module.{name}": tensor for name, tensor in merged.items()},
            "config": {"n_mel_channels": 8, "WN_config": {"n_layers": 3}},
            "cuda_rng_state_all": torch.zeros(5, dtype=torch.uint8),
        }
    elif layout in ("data-parallel", "twice"):
        prefix = "module." if layout == "data-parallel" else "module.model."
        content = {prefix + name: tensor for name, tensor in state.items()}
    torch.save(content, path, _use_new_zipfile_serialization=layout != "legacy")
    same(model_of(path, tmp_path / "m"), expected)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("generation", ["fused", "condition layers apart", "all layers apart", "wrapped"])
def test_pickled_modules(
    golden: Path,
    tmp_path: Path,
    expected: dict[str, Tensor],
    monkeypatch: pytest.MonkeyPatch,
    generation: str,
    zipped: bool,
) -> None:
    tensors = weights(golden)
    if "apart" in generation:
        tensors = apart(tensors, oldest=generation.startswith("all"))
    model = module_from(tensors)
    model = nn.DataParallel(model) if generation == "wrapped" else model
    path = pickled(tmp_path / "x.pt", model, "glow", monkeypatch, zipped=zipped)
    same(model_of(path, tmp_path / "m"), expected)


def test_alternating_channels_are_refused(golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = apart(weights(golden), oldest=True)
    path = pickled(tmp_path / "x.pt", module_from(tensors), "glow_old", monkeypatch)
    with pytest.raises(CheckpointError, match=r"glow_old.*every second step"):
        convert_checkpoint(path)
    torch.save(tensors, path)
    with pytest.raises(CheckpointError, match="does not say whether its channels alternate"):
        convert_checkpoint(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_number_types(golden: Path, tmp_path: Path, expected: dict[str, Tensor], kind: torch.dtype) -> None:
    torch.save({name: tensor.to(kind) for name, tensor in weights(golden).items()}, tmp_path / "x.pt")
    same(model_of(tmp_path / "x.pt", tmp_path / "m"), expected, 1e-2 if kind.itemsize == 2 else 1e-6)


def test_weight_norm_of_both_spellings_equals_torch() -> None:
    torch.manual_seed(0)
    new = weight_norm(nn.Conv1d(3, 5, 3))
    with torch.no_grad():
        new.parametrizations.weight.original0.mul_(1.7)
    state = {name: tensor.detach().numpy() for name, tensor in new.state_dict().items()}
    old = {
        "weight_g": state["parametrizations.weight.original0"],
        "weight_v": state["parametrizations.weight.original1"],
    }
    for named in (state, old):
        folded = fold_weight_norm({f"a.{name}": array for name, array in named.items()})
        np.testing.assert_allclose(folded["a.weight"], new.weight.detach().numpy(), rtol=1e-6)


def test_mel_contract_from_the_original_configuration(golden: Path, tmp_path: Path) -> None:
    path = golden / "waveglow_tiny.official.pt"
    config = tmp_path / "config.json"
    data = {"sampling_rate": 16000, "filter_length": 1024, "hop_length": 256, "win_length": 1024, "mel_fmax": 7000.0}
    config.write_text(json.dumps({"data_config": data}))
    audio = convert_checkpoint(path, config).card.config.audio
    assert (audio.sample_rate, audio.f_max, audio.n_mels) == (16000, 7000.0, 8)
    for change, message in (
        ({"hop_length": 128}, "hop_length 128, but the model was made for 256"),
        ({"sampling_rate": "x"}, "must be a number"),
        ({"mel_fmax": 9000}, "f_min < f_max"),
    ):
        config.write_text(json.dumps({"data_config": data | change}))
        with pytest.raises(CheckpointError, match=message):
            convert_checkpoint(path, config)
    for content in ("", "[]", "[" * 100_000, "{"):
        config.write_text(content)
        with pytest.raises(CheckpointError, match=r"config\.json"):
            convert_checkpoint(path, config)
    with pytest.raises(CheckpointError, match="cannot be read"):
        convert_checkpoint(path, tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WN.2.end.bias": None}, "lacks the tensor 'WN.2.end.bias'"),
        ({"WN.1.in_layers.1.weight": None}, "lacks the tensor 'WN.1.in_layers.1.weight'"),
        ({"surplus.weight": torch.ones(2)}, "1 tensors that no WaveGlow has, the first of them 'surplus.weight'"),
        ({"WN.0.cond_layer.bias": torch.ones(7)}, r"'steps.0.coupling.network.condition.bias' has the shape \(7,\)"),
        ({"convinv.1.conv.weight": torch.ones(6, 6, 1)}, "pattern of early outputs"),
        ({"convinv.3.conv.weight": torch.ones(8, 6, 1)}, "pattern of early outputs"),
        ({"convinv.3.conv.weight": torch.ones(6, 5, 1)}, "not a matrix"),
        ({"upsample.weight": torch.ones(8)}, r"has the shape \(8,\), which no WaveGlow has"),
        ({"upsample.weight": torch.ones(8, 8, 0)}, "which no WaveGlow has"),
        ({"WN.0.start.bias": torch.full((32,), float("inf"))}, "not finite"),
        ({"WN.0.in_layers.0.weight_g": torch.ones(64, 1, 1)}, "direction .* is missing"),
    ],
)
def test_models_that_do_not_add_up(
    golden: Path, tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    state: dict[str, Any] = weights(golden) | change
    torch.save({name: tensor for name, tensor in state.items() if tensor is not None}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=message) as caught:
        convert_checkpoint(tmp_path / "x.pt")
    assert "\n" not in str(caught.value) and str(tmp_path / "x.pt") in str(caught.value)


def test_other_models_are_named(tmp_path: Path) -> None:
    for state, message in (
        ({"decoder.attention_rnn.weight_ih": torch.ones(1), "a": torch.ones(1)}, "Tacotron 2"),
        ({"conv_pre.weight_v": torch.ones(1), "a": torch.ones(1)}, "HiFi-GAN"),
        ({}, "neither a WaveGlow nor a Glow-TTS; it holds no tensors"),
        ({"a.b": torch.ones(1), "c": torch.ones(1)}, "neither a WaveGlow nor a Glow-TTS; its first tensors are 'a.b'"),
    ):
        save_file(state, tmp_path / "x.safetensors")
        with pytest.raises(CheckpointError, match=message):
            convert_checkpoint(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        convert_checkpoint(tmp_path / "x.safetensors")
