"""The grouped 1x1 convolution of Glow-TTS."""

import pytest
import torch

from glowvox.flows.invertible_conv import GroupedInvertibleConv


@pytest.mark.parametrize(("channels", "group"), [(8, 4), (12, 2), (16, 8), (4, 4)])
def test_inverts_and_its_log_determinant_is_that_of_the_jacobian(channels: int, group: int) -> None:
    torch.manual_seed(0)
    flow = GroupedInvertibleConv(channels, group).double()
    with torch.no_grad():
        flow.weight.add_(0.3 * torch.randn_like(flow.weight))
    x = torch.randn(2, channels, 5, dtype=torch.float64)
    mask = (torch.arange(5) < torch.tensor([5, 3])[:, None]).unsqueeze(1).double()
    y, log_det = flow(x, mask)
    back, inverse_log_det = flow.inverse(y, mask)
    torch.testing.assert_close(back, x * mask)
    torch.testing.assert_close(inverse_log_det, -log_det)
    jacobian = torch.autograd.functional.jacobian(lambda value: flow(value[None])[0].flatten(), x[0])
    size = channels * 5
    assert log_det[0].item() == pytest.approx(torch.linalg.slogdet(jacobian.reshape(size, size)).logabsdet.item())
    assert log_det[1].item() == pytest.approx(0.6 * log_det[0].item())


def test_a_group_takes_half_of_its_channels_from_each_half() -> None:
    torch.manual_seed(0)
    flow = GroupedInvertibleConv(12, 4).double()
    x = torch.randn(1, 12, 3, dtype=torch.float64)
    y, _ = flow(x)
    for group in range(3):
        channels = [2 * group, 2 * group + 1, 6 + 2 * group, 7 + 2 * group]
        torch.testing.assert_close(y[0, channels], flow.weight @ x[0, channels])


def test_precision_of_the_state_survives_autocast() -> None:
    torch.manual_seed(0)
    flow = GroupedInvertibleConv(16, 4)
    x = torch.randn(1, 16, 4)
    with torch.autocast("cpu", torch.bfloat16):
        y, log_det = flow(x)
    assert y.dtype == log_det.dtype == torch.float32
    torch.testing.assert_close(y, flow(x)[0])


def test_impossible_groups_are_refused() -> None:
    for channels, group in ((8, 3), (10, 4)):
        with pytest.raises(ValueError, match="must be even and divide"):
            GroupedInvertibleConv(channels, group)
