"""WaveGlow against the original program's figures, and its own properties."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from glowvox.audio.files import bits_per_dimension
from glowvox.config.audio import AudioConfig
from glowvox.config.preset import load_preset, preset_names
from glowvox.config.waveglow import WaveGlowConfig
from glowvox.errors import AudioError, ConfigError, MelError
from glowvox.models.waveglow import WaveGlow

GOLDEN = Path(__file__).parents[1] / "golden"
PARAMETERS = {"waveglow-256": 87.7e6, "waveglow-paper": 255.4e6}

FAMILIES = {
    "squeeze": {"n_group": 8, "n_early_every": 2, "n_early_size": 2},
    "squeeze-actnorm": {"n_group": 8, "n_early_every": 2, "n_early_size": 2, "actnorm": True},
    "mel-rate": {"n_group": 16, "conditioning": "mel-rate", "encoder_channels": 6},
    "separable": {"n_group": 32, "conditioning": "mel-rate", "separable": True},
    "lapped": {
        "transform": "lapped",
        "n_group": 32,
        "n_early_every": 0,
        "conditioning": "mel-rate",
        "encoder_channels": 6,
        "mel_scale": True,
        "max_log_scale": 2.0,
        "actnorm": True,
    },
    "lapped-two-a-frame": {
        "transform": "lapped",
        "n_group": 16,
        "n_early_every": 0,
        "conditioning": "mel-rate",
        "mel_scale": True,
    },
}


def family(name: str, hop: int = 32) -> WaveGlow:
    torch.manual_seed(0)
    audio = AudioConfig(sample_rate=8000, n_fft=64, win_length=64, hop_length=hop, n_mels=6, f_max=4000.0)
    config = WaveGlowConfig(
        **{
            "audio": audio,
            "n_flows": 4,
            "n_channels": 6,
            "n_skip_channels": 7,
            "n_layers": 2,
            "n_early_size": 4,
            **FAMILIES[name],
        }
    )
    model = WaveGlow(config).double()
    for step in model.steps:
        nn.init.normal_(step.coupling.network.end.weight, std=0.2)  # a start at zero would test the identity
    if model.scale is not None:
        nn.init.normal_(model.scale.network.correction.weight, std=0.02)
    audio, mel = inputs(model)
    model.train()
    model(audio, mel)  # ActNorm
    return model.eval()


def inputs(model: WaveGlow, batch: int = 2, frames: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    config = model.config.audio
    audio = 0.1 * torch.randn(batch, frames * config.hop_length, generator=generator, dtype=torch.float64)
    return audio, torch.randn(batch, config.n_mels, frames, generator=generator, dtype=torch.float64) - 5


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest) -> WaveGlow:
    return family(request.param)


def relative(value: Tensor, expected: Tensor) -> float:
    return float((value - expected).norm() / expected.norm())


@pytest.mark.parametrize("name", ["waveglow_tiny", "waveglow_12flows"])
class TestAgainstTheOriginal:
    def load(self, name: str) -> tuple[WaveGlow, dict[str, Tensor], dict]:
        from glowvox.checkpoint.convert import convert_checkpoint

        information = json.loads((GOLDEN / f"{name}.json").read_text())
        converted = convert_checkpoint(GOLDEN / f"{name}.official.pt")
        model = WaveGlow(converted.card.config)
        model.load_state_dict({key: torch.as_tensor(value) for key, value in converted.tensors.items()})
        return model.eval(), load_file(GOLDEN / f"{name}.vectors.safetensors"), information

    @torch.no_grad()
    def test_latent_log_scales_and_losses(self, name: str) -> None:
        model, vectors, information = self.load(name)
        output = model(vectors["audio"], vectors["mel"])
        assert relative(output.latent, vectors["forward.z"]) < 1e-4
        for sigma, loss in information["loss"].items():
            energy = output.latent.square().sum() / (2 * float(sigma) ** 2)
            assert float((energy - output.log_det.sum()) / output.latent.numel()) == pytest.approx(loss, rel=1e-4)

    @torch.no_grad()
    def test_log_scales_and_determinants_of_every_step(self, name: str) -> None:
        model, vectors, _ = self.load(name)
        condition = model.upsample(vectors["mel"])
        x, _ = model.transform(vectors["audio"].unsqueeze(1))
        for index, step in enumerate(model.steps):
            if index in model.steps.exits:
                x = x[:, model.steps.exits[index] :]
            x, log_det = step.convolution(x)
            assert float(log_det.sum()) == pytest.approx(float(vectors["forward.log_det_w"][index]), rel=1e-4, abs=1e-3)
            kept = x[:, : x.shape[1] - x.shape[1] // 2]
            log_scale = step.coupling.shift_and_log_scale(kept, None, condition)[1]
            assert relative(log_scale, vectors[f"forward.log_s.{index}"]) < 1e-4
            x, _ = step.coupling(x, None, condition)

    @torch.no_grad()
    def test_inference_from_given_noise(self, name: str) -> None:
        model, vectors, information = self.load(name)
        keys = sorted((key for key in vectors if key.startswith("infer.noise.")), key=lambda key: -int(key[12:]))
        latent = torch.cat([vectors[key] for key in keys], 1) * information["infer_sigma"]
        assert relative(model.inverse(latent, vectors["mel"]), vectors["infer.audio"]) < 1e-4

    @torch.no_grad()
    def test_denoiser_bias(self, name: str) -> None:
        model, vectors, _ = self.load(name)
        mel = torch.zeros(1, model.config.audio.n_mels, 88)
        audio = model.inverse(torch.zeros(model.latent_shape(1, 88)), mel)
        assert relative(audio, vectors["denoiser.bias_audio"]) < 1e-4


def test_round_trip(model: WaveGlow) -> None:
    audio, mel = inputs(model)
    latent = model(audio, mel).latent
    assert latent.shape == model.latent_shape(2, 6)
    torch.testing.assert_close(model.inverse(latent, mel), audio, rtol=1e-8, atol=1e-8)


def test_log_determinant_is_that_of_the_jacobian(model: WaveGlow) -> None:
    audio, mel = inputs(model, batch=1, frames=3)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x, mel).latent.reshape(-1), audio)
    expected = torch.linalg.slogdet(jacobian[:, 0]).logabsdet
    torch.testing.assert_close(model(audio, mel).log_det[0], expected, rtol=1e-9, atol=1e-9)


def test_padding_and_batching_change_nothing(model: WaveGlow) -> None:
    audio, mel = inputs(model, batch=3)
    lengths = torch.tensor([6, 3, 5])
    hop, per_frame = model.config.audio.hop_length, model.config.groups_per_frame
    together = model(audio, mel, lengths)
    likelihood = model.log_likelihood(audio, mel, 0.8, lengths)
    sound = model.inverse(torch.randn(model.latent_shape(3, 6)).double(), mel, lengths)
    assert sound.isfinite().all()
    for item, length in enumerate(lengths.tolist()):
        one = slice(item, item + 1)
        alone = model(audio[one, : length * hop], mel[one, :, :length])
        torch.testing.assert_close(together.latent[one, :, : length * per_frame], alone.latent, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(together.log_det[one], alone.log_det, rtol=1e-9, atol=1e-9)
        expected = model.log_likelihood(audio[one, : length * hop], mel[one, :, :length], 0.8)
        torch.testing.assert_close(likelihood[one], expected, rtol=1e-9, atol=1e-9)
        assert not sound[item, length * hop :].any()


def test_gradients_reach_every_parameter_both_ways(model: WaveGlow) -> None:
    audio, mel = inputs(model)
    model.zero_grad()
    (
        -model.log_likelihood(audio, mel).sum() + model.inverse(model(audio, mel).latent * 0.5, mel).abs().sum()
    ).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_receptive_field_is_a_bound(model: WaveGlow) -> None:
    reach, hop = model.receptive_field, model.config.audio.hop_length
    frames = 2 * reach + 9
    mel = torch.randn(1, 6, frames, dtype=torch.float64)
    latent = torch.randn(model.latent_shape(1, frames), dtype=torch.float64)
    changed = mel.clone()
    changed[:, :, reach + 4] += 1.0
    difference = (model.inverse(latent, changed) - model.inverse(latent, mel)).abs()[0]
    touched = difference.nonzero()[:, 0] // hop
    assert touched.min() >= 4 and touched.max() <= 2 * reach + 4
    assert touched.numel() > 0


def test_recomputing_gives_the_same_gradients(model: WaveGlow) -> None:
    audio, mel = inputs(model)
    gradients = []
    for recompute in (False, True):
        model.steps.recompute = recompute
        model.zero_grad()
        model.log_likelihood(audio, mel).sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, plain)


@torch.no_grad()
def test_bits_do_not_depend_on_how_the_input_is_cut() -> None:
    """With couplings at their start a model is a rotation of groups, and every way of cutting must tell the same."""
    generator = torch.Generator().manual_seed(0)
    audio, mel = 0.1 * torch.randn(1, 1024, generator=generator), torch.zeros(1, 80, 4)
    bits = []
    for n_group in (8, 32, 128):
        model = WaveGlow(WaveGlowConfig(n_group=n_group, n_flows=2, n_channels=2, n_skip_channels=2, n_layers=1))
        whole = float(model.log_likelihood(audio, mel))
        parts = [float(model.log_likelihood(audio[:, i * 256 :][:, :256], mel[:, :, :1])) for i in range(4)]
        assert whole == pytest.approx(sum(parts), rel=1e-5)
        bits.append(bits_per_dimension(-whole / 1024))
    assert bits == pytest.approx([bits[0]] * 3, rel=1e-5)
    assert bits_per_dimension(math.log(2.0)) == pytest.approx(16.0)


def test_sigma_is_the_density_of_the_base() -> None:
    model = family("lapped")
    audio, mel = inputs(model)
    output = model(audio, mel)
    base = torch.distributions.Normal(0.0, torch.tensor(0.6, dtype=torch.float64)).log_prob(output.latent).sum((1, 2))
    torch.testing.assert_close(model.log_likelihood(audio, mel, 0.6), base + output.log_det)


@pytest.mark.parametrize("log", ["log10", "db"])
@torch.no_grad()
def test_envelope_of_a_lapped_flow_follows_the_contract(log: str) -> None:
    """Whatever the logarithm and normalisation, noise arrives with unit variance."""
    from glowvox.audio.mel import MelTransform

    audio = AudioConfig(log=log, mean=-2.0, std=3.0)
    config = WaveGlowConfig(
        audio=audio,
        transform="lapped",
        n_group=256,
        n_flows=1,
        n_early_every=0,
        conditioning="mel-rate",
        mel_scale=True,
    )
    generator = torch.Generator().manual_seed(0)
    noise = 0.05 * torch.randn(256 * 200, generator=generator)
    mel = torch.from_numpy(MelTransform(audio)(noise.numpy()))[None, :, :200]
    model = WaveGlow(config)
    coefficients, _ = model.transform(noise.view(1, 1, -1))
    scaled, _ = model.scale(coefficients, None, mel)
    assert float(scaled[:, :180, 2:-2].std()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("name", preset_names("waveglow"))
def test_every_preset_runs(name: str) -> None:
    model = WaveGlow(load_preset(name).waveglow)
    count = sum(parameter.numel() for parameter in model.parameters())
    if name in PARAMETERS:
        assert count == pytest.approx(PARAMETERS[name], rel=0.01)
    model.eval()
    with torch.no_grad():
        mel = torch.full((1, 80, 2), -5.0)
        audio = 0.01 * torch.randn(1, 512, generator=torch.Generator().manual_seed(0))
        latent = model(audio, mel).latent
        torch.testing.assert_close(model.inverse(latent, mel), audio, rtol=1e-3, atol=1e-4)


def test_shapes_that_do_not_fit_are_refused() -> None:
    model = family("lapped")
    audio, mel = inputs(model)
    with pytest.raises(MelError, match="expected a mel"):
        model(audio, mel[:, :4])
    with pytest.raises(MelError, match="at least one frame"):
        model.inverse(torch.zeros(2, 32, 0).double(), mel[:, :, :0])
    with pytest.raises(AudioError, match="goes with audio"):
        model(audio[:, :-1], mel)
    with pytest.raises(MelError, match="needs a latent"):
        model.inverse(torch.zeros(2, 32, 3).double(), mel)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_group": 7},
        {"n_group": 24},
        {"kernel_size": 2},
        {"n_layers": 0},
        {"n_early_size": 3},
        {"n_early_every": 1},
        {"transform": "lapped"},
        {"mel_scale": True},
        {"encoder_channels": 8},
        {"highest_levels": (1.0,)},
        {**FAMILIES["lapped"], "highest_levels": (1.0, 2.0, 3.0)},
        {**FAMILIES["lapped"], "highest_levels": (1.0, 0.0)},
        {**FAMILIES["lapped"], "highest_levels": (1.0, math.inf)},
        {**FAMILIES["lapped"], "highest_levels": (math.nan, 1.0)},
    ],
)
def test_contradictory_configurations_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="waveglow"):
        WaveGlowConfig(**settings)
