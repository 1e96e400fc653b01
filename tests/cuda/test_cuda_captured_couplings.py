"""Coupling networks that a GPU replays in training: the same gradients, for the batches that they were recorded for."""

import pytest
import torch

from glowvox.config.waveglow import WaveGlowConfig
from glowvox.cuda.captured_couplings import capture_couplings
from glowvox.models.waveglow import WaveGlow

PUBLISHED = WaveGlowConfig(n_group=16, n_flows=5, n_channels=8, n_skip_channels=8, n_layers=2)
BARE_MEL = WaveGlowConfig(
    n_group=64, n_flows=3, n_channels=8, n_skip_channels=8, n_layers=2, conditioning="mel-rate", n_early_every=0
)


class Replays:
    """Stands in for CUDA's graphs: calls the modules, and remembers which."""

    def __init__(self):
        self.replayed = []
        self.examples = ()

    def __call__(self, modules, examples):
        self.examples = examples
        return tuple(self._replay(module) for module in modules)

    def _replay(self, module):
        def replay(*inputs):
            assert all(isinstance(tensor, torch.Tensor) for tensor in inputs)
            self.replayed.append(module)
            return module(*inputs)

        return replay


def _model(config):
    torch.manual_seed(0)
    model = WaveGlow(config)
    for step in model.steps:
        torch.nn.init.normal_(step.coupling.network.end.weight, std=0.05)
    return model.train()


def _batch(config, items=2, frames=8):
    generator = torch.Generator().manual_seed(items)
    audio = 0.1 * torch.randn(items, frames * 256, generator=generator)
    return audio, torch.randn(items, 80, frames, generator=generator) - 5


def _captured(config):
    model, replays = _model(config), Replays()
    batch = _batch(config)
    capture_couplings(model, lambda: model(*batch), replays)
    return model, replays


@pytest.mark.parametrize("config", [PUBLISHED, BARE_MEL], ids=["published", "bare mel"])
def test_the_gradients_are_those_of_the_plain_networks(config):
    model, replays = _captured(config)
    plain = _model(config)
    for one in (model, plain):
        (-one.log_likelihood(*_batch(config)).sum()).backward()
    networks = {step.coupling.network for step in model.steps}
    assert {module.network for module in replays.replayed} == networks  # every one, and none by itself
    for (name, parameter), other in zip(model.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, other.grad, msg=lambda text, name=name: f"{name}: {text}")


def test_a_checkpoint_has_the_same_names():
    model, _ = _captured(PUBLISHED)
    assert model.state_dict().keys() == _model(PUBLISHED).state_dict().keys()
    assert [name for name, _ in model.named_modules()] == [name for name, _ in _model(PUBLISHED).named_modules()]


def test_examples_have_the_shapes_and_share_the_condition():
    model, replays = _captured(PUBLISHED)
    conditions = {id(condition) for _, condition in replays.examples}
    assert len(conditions) == 1
    kept = [x.shape[1] for x, _ in replays.examples]
    assert kept == [step.coupling.network.start.weight.shape[1] for step in model.steps]
    assert all(tensor.requires_grad for example in replays.examples for tensor in example)
    _, bare = _captured(BARE_MEL)
    assert not bare.examples[0][1].requires_grad  # nothing that is learned lies between this mel and the couplings


def test_other_batches_validation_and_the_inverse_use_the_plain_networks():
    model, replays = _captured(PUBLISHED)
    model.log_likelihood(*_batch(PUBLISHED, items=3))
    model.log_likelihood(*_batch(PUBLISHED), mel_lengths=torch.tensor([8, 3]))
    with torch.no_grad():
        model.log_likelihood(*_batch(PUBLISHED))
    latent = torch.zeros(model.latent_shape(2, 8))
    model.inverse(latent, _batch(PUBLISHED)[1])
    model.eval()
    model.log_likelihood(*_batch(PUBLISHED))
    assert replays.replayed == []


def test_a_recording_that_fails_leaves_the_networks_as_they_were():
    model = _model(PUBLISHED)
    with pytest.raises(RuntimeError, match="no graphs"):
        capture_couplings(model, lambda: model(*_batch(PUBLISHED)), _refuse)
    assert all(step.coupling.forward_network is None for step in model.steps)


def _refuse(modules, examples):
    raise RuntimeError("no graphs here")
