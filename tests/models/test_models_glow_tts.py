"""Glow-TTS: the figures of the original program, and what must hold for any parameters."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from glowvox.align.prior import position_noise
from glowvox.checkpoint.original_names import convert_glow_tts_state, glow_tts_config
from glowvox.config.audio import AudioConfig
from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.errors import ConfigError, DataError, MelError, TextError, VoiceError
from glowvox.models.glow_tts import GlowTTS

SMALL = {
    "n_symbols": 20,
    "hidden_channels": 16,
    "filter_channels": 24,
    "duration_channels": 12,
    "n_encoder_layers": 2,
    "decoder_channels": 16,
    "n_blocks": 2,
    "n_layers": 2,
}


def small_model(**changes: object) -> GlowTTS:
    """A model in float64 whose parameters are all random, zero-initialised ones included."""
    torch.manual_seed(1)
    model = GlowTTS(GlowTTSConfig(audio=AudioConfig(n_mels=8), **{**SMALL, **changes})).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def example(batch: int = 3) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    token_lengths, mel_lengths = torch.tensor([7, 1, 5][:batch]), torch.tensor([30, 4, 23][:batch])
    tokens = torch.randint(0, 20, (batch, 7), generator=generator)
    mel = torch.randn(batch, 8, 30, generator=generator, dtype=torch.float64)
    mel = mel * (torch.arange(30) < mel_lengths[:, None])[:, None]
    return tokens, token_lengths, mel, mel_lengths


def relative_error(found: Tensor, expected: Tensor) -> float:
    assert found.shape == expected.shape
    difference = (found.double() - expected.double()).norm()
    return float(difference / expected.double().norm()) if expected.any() else float(difference)


@pytest.fixture(scope="module", params=["glowtts_tiny", "glowtts_multispeaker"])
def original(request: pytest.FixtureRequest) -> tuple[GlowTTS, dict, dict[str, Tensor]]:
    """A model with the original program's weights, its description, and its inputs and outputs."""
    folder = Path(__file__).resolve().parents[1] / "golden"
    description = json.loads((folder / f"{request.param}.json").read_text())
    state = torch.load(folder / f"{request.param}.official.pth", weights_only=True)["model"]
    config = glow_tts_config(description["model"], state, AudioConfig())
    model = GlowTTS(config).eval()
    model.load_state_dict(convert_glow_tts_state(state, config))
    return model, description, load_file(folder / f"{request.param}.vectors.safetensors")


def test_training_pass_of_the_original(original: tuple) -> None:
    model, description, golden = original
    inputs = [golden[name] for name in ("tokens", "token_lengths", "mel", "mel_lengths")]
    with torch.no_grad():
        output = model(*inputs, golden.get("speaker"))
    for name, found in {
        "z": output.latent,
        "logdet": output.log_det,
        "text_mean": output.text_mean,
        "text_logs": output.text_log_std,
        "z_mean": output.mean,
        "z_logs": output.log_std,
        "z_mask": output.mel_mask,
        "log_duration": output.log_duration.unsqueeze(1),
        "log_duration_target": output.log_duration_target.unsqueeze(1),
    }.items():
        assert relative_error(found, golden[f"train.{name}"]) < 1e-4, name
    assert torch.equal(output.alignment.unsqueeze(1), golden["train.alignment"].float())

    elements = output.mel_mask.sum() * model.config.audio.n_mels
    squares = ((output.latent - output.mean) * torch.exp(-output.log_std)).square()
    mle = (output.log_std.sum() + 0.5 * squares.sum() - output.log_det.sum()) / elements + 0.5 * math.log(2 * math.pi)
    assert mle.item() == pytest.approx(description["mle_loss"], rel=1e-4)
    duration = (output.log_duration - output.log_duration_target).square().sum() / golden["token_lengths"].sum()
    assert duration.item() == pytest.approx(description["duration_loss"], rel=1e-4)
    with torch.no_grad():
        nats = model.log_likelihood(*inputs, golden.get("speaker"))
    assert -(nats.sum() / elements).item() == pytest.approx(description["mle_loss"], rel=1e-4)


def test_inference_of_the_original(original: tuple) -> None:
    model, description, golden = original
    with torch.no_grad():
        output = model.inverse(
            golden["tokens"],
            golden["token_lengths"],
            noise=golden["infer.noise"],
            temperature=description["infer"]["noise_scale"],
            length_scale=description["infer"]["length_scale"],
            speaker=golden.get("speaker"),
        )
    assert relative_error(output.mel, golden["infer.mel"]) < 1e-4
    assert relative_error(output.log_duration.unsqueeze(1), golden["infer.log_duration"]) < 1e-4
    assert torch.equal(output.alignment.unsqueeze(1), golden["infer.alignment"].float())
    assert torch.equal(output.mel_lengths, golden["infer.mask"].sum((1, 2)))
    assert torch.equal(output.durations, golden["infer.alignment"].sum((1, 3)))


def test_voice_conversion_of_the_original(original: tuple) -> None:
    model, _, golden = original
    if model.speakers is None:
        with pytest.raises(VoiceError, match="one speaker"):
            model.convert(golden["mel"], golden["mel_lengths"], torch.zeros(2).long(), torch.zeros(2).long())
        return
    with torch.no_grad():
        found = model.convert(golden["mel"], golden["mel_lengths"], golden["speaker"], golden["convert.speaker"])
    assert relative_error(found, golden["convert.mel"]) < 1e-4


@pytest.mark.parametrize("mean_only", [True, False])
def test_alone_and_in_a_padded_batch_are_the_same(mean_only: bool) -> None:
    model = small_model(mean_only=mean_only, n_speakers=3, speaker_channels=4)
    tokens, token_lengths, mel, mel_lengths = example()
    speaker = torch.tensor([2, 0, 1])
    together = model(tokens, token_lengths, mel, mel_lengths, speaker, sum_paths=True)
    # What lies in the padding is of no consequence.
    beyond = torch.arange(7) >= token_lengths[:, None]
    odd = model(
        tokens.masked_fill(beyond, 3),
        token_lengths,
        mel + 5.0 * (torch.arange(30) >= mel_lengths[:, None])[:, None],
        mel_lengths,
        speaker,
    )
    torch.testing.assert_close(odd.latent, together.latent)
    for item in range(3):
        n_tokens, n_frames = int(token_lengths[item]), int(mel_lengths[item])
        alone = model(
            tokens[item : item + 1, :n_tokens],
            token_lengths[item : item + 1],
            mel[item : item + 1, :, :n_frames],
            mel_lengths[item : item + 1],
            speaker[item : item + 1],
            sum_paths=True,
        )
        even = n_frames // 2 * 2
        torch.testing.assert_close(together.latent[item, :, :even], alone.latent[0])
        torch.testing.assert_close(together.log_det[item], alone.log_det[0])
        torch.testing.assert_close(together.path_sum[item], alone.path_sum[0])
        torch.testing.assert_close(together.log_duration[item, :n_tokens], alone.log_duration[0])
        torch.testing.assert_close(together.alignment[item, :n_tokens, :even], alone.alignment[0])
        torch.testing.assert_close(together.mean[item, :, :even], alone.mean[0])
        assert not together.latent[item, :, even:].any() and not together.mean[item, :, even:].any()


def test_synthesis_alone_and_in_a_batch_is_the_same() -> None:
    model = small_model()
    tokens, token_lengths, _, _ = example()
    durations = torch.tensor([[3, 2, 1, 4, 2, 5, 2], [6, 0, 0, 0, 0, 0, 0], [2, 2, 3, 3, 1, 0, 0]])
    for given in (None, durations):
        together = model.inverse(tokens, token_lengths, durations=given, seed=3)
        for item in range(3):
            n_tokens, n_frames = int(token_lengths[item]), int(together.mel_lengths[item])
            alone = model.inverse(
                tokens[item : item + 1, :n_tokens],
                token_lengths[item : item + 1],
                durations=None if given is None else given[item : item + 1, :n_tokens],
                seed=3,
            )
            torch.testing.assert_close(together.mel[item, :, :n_frames], alone.mel[0])
            torch.testing.assert_close(together.durations[item, :n_tokens], alone.durations[0])
            assert not together.mel[item, :, n_frames:].any()


def test_log_determinant_is_that_of_the_jacobian_and_the_decoder_inverts() -> None:
    model = small_model()
    mel = torch.randn(1, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 1, 6, dtype=torch.float64)
    latent, log_det = model.decoder(mel, mask)
    jacobian = torch.autograd.functional.jacobian(lambda x: model.decoder(x, mask)[0].flatten(), mel).reshape(48, 48)
    assert log_det.item() == pytest.approx(torch.linalg.slogdet(jacobian).logabsdet.item(), rel=1e-9)
    back, inverse_log_det = model.decoder.inverse(latent, mask)
    torch.testing.assert_close(back, mel)
    torch.testing.assert_close(inverse_log_det, -log_det)


def test_mel_comes_back_from_its_own_latent_and_durations() -> None:
    """Noise chosen as the standardised latent, with the durations of the alignment, gives the recording again."""
    model = small_model()
    tokens, token_lengths, mel, mel_lengths = example()
    output = model(tokens, token_lengths, mel, mel_lengths)
    noise = (output.latent - output.mean) * torch.exp(-output.log_std)
    found = model.inverse(tokens, token_lengths, noise=noise, temperature=1.0, durations=output.alignment.sum(2).long())
    torch.testing.assert_close(found.mel, mel * output.mel_mask)
    torch.testing.assert_close(found.alignment, output.alignment)


def test_given_durations_are_kept_to_the_frame_even_when_odd() -> None:
    model = small_model()
    tokens, token_lengths, _, _ = example(2)
    durations = torch.tensor([[1, 0, 3, 1, 2, 5, 1], [5, 9, 9, 9, 9, 9, 9]])
    output = model.inverse(tokens, token_lengths, durations=durations, length_scale=7.0)
    assert output.mel.shape == (2, 8, 13) and output.mel_lengths.tolist() == [13, 5]
    assert output.durations.tolist() == [[1, 0, 3, 1, 2, 5, 1], [5, 0, 0, 0, 0, 0, 0]]
    assert torch.equal(output.alignment.sum(2).long(), output.durations)
    assert torch.equal(output.alignment.sum((1, 2)).long(), output.mel_lengths)


def test_length_scale_and_durations_fit_the_mel() -> None:
    model = small_model()
    tokens, token_lengths, _, _ = example()
    plain, slow = (model.inverse(tokens, token_lengths, length_scale=scale) for scale in (1.0, 3.0))
    for output in (plain, slow):
        assert torch.equal(output.durations.sum(1), output.mel_lengths)
        assert (output.mel_lengths % 2 == 0).all() and (output.mel_lengths >= 2).all()
        assert output.mel.shape[2] == output.mel_lengths.max()
    assert (slow.mel_lengths >= plain.mel_lengths).all() and slow.mel_lengths.sum() > plain.mel_lengths.sum()
    mixed = model.inverse(tokens, token_lengths, length_scale=torch.tensor([1.0, 3.0, 1.0]))
    assert mixed.mel_lengths.tolist() == [plain.mel_lengths[0], slow.mel_lengths[1], plain.mel_lengths[2]]


def test_predictions_out_of_bounds_stay_finite() -> None:
    model = small_model()
    tokens, token_lengths, _, _ = example()
    for bias, frames in ((-200.0, 7), (float("nan"), 7)):
        with torch.no_grad():
            model.encoder.durations.projection.bias.fill_(bias)
        durations = model.inverse(tokens, token_lengths).durations
        assert 2 <= int(durations[0].sum()) <= frames and int(durations.min()) >= 0


def test_noise_and_seed() -> None:
    model = small_model()
    tokens, token_lengths, _, _ = example()
    first, again, other = (model.inverse(tokens, token_lengths, seed=seed).mel for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.allclose(first, other)
    drawn = torch.from_numpy(position_noise(1, 8, first.shape[2] + 1))[None]
    assert torch.equal(model.inverse(tokens, token_lengths, noise=drawn).mel, other)
    state = torch.random.get_rng_state()
    still = model.inverse(tokens, token_lengths, temperature=0.0).mel
    assert torch.equal(torch.random.get_rng_state(), state)
    frames = still.shape[2]
    zero = model.inverse(tokens, token_lengths, noise=torch.zeros(1, 8, frames + 9)).mel
    torch.testing.assert_close(zero, still)


def test_gradients_reach_every_parameter_and_durations_do_not_train_the_encoder() -> None:
    model = small_model(n_speakers=3, speaker_channels=4)
    output = model(*example(), torch.tensor([0, 1, 2]), sum_paths=True)
    duration_loss = (output.log_duration - output.log_duration_target).square().sum()
    duration_loss.backward(retain_graph=True)
    trained = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert all(name.startswith(("encoder.durations.", "speakers.")) for name in trained)
    likelihood = output.log_det - 0.5 * ((output.latent - output.mean) * torch.exp(-output.log_std)).square().sum(
        (1, 2)
    )
    (likelihood.sum() - output.log_std.sum()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert output.path_sum.requires_grad and not output.alignment.requires_grad


def test_sum_over_paths_exceeds_the_best_path() -> None:
    for mean_only in (True, False):
        model = small_model(mean_only=mean_only)
        best, total = (model.log_likelihood(*example(), sum_paths=flag) for flag in (False, True))
        assert (total >= best - 1e-9).all()
        torch.testing.assert_close(total[1], best[1])  # a single token: a single path


def test_first_training_batch_initialises_actnorm_and_loading_does_not() -> None:
    model = small_model().train()
    model(*example())
    flags = [value for name, value in model.state_dict().items() if name.endswith("initialised")]
    assert len(flags) == 2 and all(flags)
    other = small_model().train()
    other.load_state_dict(model.state_dict())
    other(*example())
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_autocast_keeps_flow_and_likelihood_in_float32() -> None:
    model = small_model().float()
    tokens, token_lengths, mel, mel_lengths = example()
    exact = model(tokens, token_lengths, mel.float(), mel_lengths)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(tokens, token_lengths, mel.float(), mel_lengths, sum_paths=True)
    for value in (output.latent, output.log_det, output.mean, output.log_std, output.log_duration, output.path_sum):
        assert value.dtype == torch.float32
    assert relative_error(output.latent.detach(), exact.latent.detach()) < 0.05


def test_sigmoid_scale_and_bounded_scale_invert() -> None:
    for changes in ({"sigmoid_scale": True}, {"max_log_scale": 0.5}, {"prenet": False, "n_squeeze": 3, "n_split": 2}):
        model = small_model(**changes)
        mel = torch.randn(2, 8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        latent, log_det = model.decoder(mel)
        back, inverse_log_det = model.decoder.inverse(latent)
        torch.testing.assert_close(back, mel)
        torch.testing.assert_close(inverse_log_det, -log_det)
        assert model.inverse(*example()[:2]).mel.isfinite().all()


def test_receptive_field_is_a_bound() -> None:
    model = small_model()
    mel = torch.randn(1, 8, 60, dtype=torch.float64, requires_grad=True)
    latent, _ = model.decoder(mel)
    (gradient,) = torch.autograd.grad(latent[:, :, 30].sum(), mel)
    touched = gradient.abs().sum((0, 1)).nonzero().squeeze(1)
    assert 30 - model.decoder.receptive_field <= int(touched.min()) and int(touched.max()) <= 30 + (
        model.decoder.receptive_field
    )


def test_bad_input_is_named() -> None:
    model = small_model()
    tokens, token_lengths, mel, mel_lengths = example()
    speakers = small_model(n_speakers=3, speaker_channels=4)
    for error, message, call in [
        (TextError, "0 to 19", lambda: model.inverse(tokens + 20, token_lengths)),
        (TextError, "token_lengths must lie", lambda: model.inverse(tokens, token_lengths + 9)),
        (TextError, "token_lengths must lie", lambda: model.inverse(tokens, token_lengths * 0)),
        (TextError, r"tokens \[B, L\]", lambda: model.inverse(tokens[:, :0], token_lengths)),
        (TextError, "integers", lambda: model.inverse(tokens.float(), token_lengths)),
        (TextError, "durations must be whole", lambda: model.inverse(tokens, token_lengths, durations=tokens.float())),
        (TextError, "negative", lambda: model.inverse(tokens, token_lengths, durations=tokens * 0 - 1)),
        (TextError, "at least one frame", lambda: model.inverse(tokens, token_lengths, durations=tokens * 0)),
        (MelError, "noise has 1 frames", lambda: model.inverse(tokens, token_lengths, noise=torch.zeros(1, 8, 1))),
        (MelError, "noise must be", lambda: model.inverse(tokens, token_lengths, noise=torch.zeros(1, 9, 99))),
        (ConfigError, "temperature", lambda: model.inverse(tokens, token_lengths, temperature=-1.0)),
        (ConfigError, "length_scale", lambda: model.inverse(tokens, token_lengths, length_scale=0.0)),
        (ConfigError, "length_scale", lambda: model.inverse(tokens, token_lengths, length_scale=float("nan"))),
        (MelError, r"mel \[B, 8, T\]", lambda: model(tokens, token_lengths, mel[:, :5], mel_lengths)),
        (MelError, "mel_lengths must lie", lambda: model(tokens, token_lengths, mel, mel_lengths + 9)),
        (
            DataError,
            "cannot cover 7 tokens",
            lambda: model(tokens, token_lengths, mel[:, :, :7], mel_lengths.clamp(max=7)),
        ),
        (VoiceError, "one speaker", lambda: model.inverse(tokens, token_lengths, speaker=torch.zeros(3).long())),
        (VoiceError, "choose one from 0 to 2", lambda: speakers.inverse(tokens, token_lengths)),
        (
            VoiceError,
            "3 speakers from",
            lambda: speakers.inverse(tokens, token_lengths, speaker=torch.tensor([3, 0, 0])),
        ),
    ]:
        with pytest.raises(error, match=message):
            call()
