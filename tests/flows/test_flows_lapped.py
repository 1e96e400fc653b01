"""The lapped transform's constants serve wherever they were made."""

import torch

from glowvox.flows.lapped import Lapped


def test_constants_made_in_inference_mode_serve_in_training():
    hop = 14  # no other test has it, so that nothing is there yet
    samples = torch.randn(1, 1, 3 * hop)
    with torch.inference_mode():
        spoken = Lapped(hop)(samples)[0]
    trained = samples.clone().requires_grad_()
    coefficients = Lapped(hop)(trained)[0]
    coefficients.square().sum().backward()
    assert torch.equal(coefficients, spoken)
    torch.testing.assert_close(trained.grad, 2 * samples)  # orthonormal
