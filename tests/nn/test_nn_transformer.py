"""The transformer with relative positions, against a direct loop over its formula."""

import math

import pytest
import torch

from glowvox.nn.transformer import RelativeSelfAttention, TransformerEncoder


@pytest.mark.parametrize(("length", "window"), [(9, 4), (3, 4), (1, 2), (12, 0), (7, None)])
def test_attention_is_the_formula(length: int, window: int | None) -> None:
    """Shaw et al. (2018): keys and values of distance j - i within the window are added to those of the token."""
    torch.manual_seed(0)
    attention = RelativeSelfAttention(6, 2, window=window).double().eval()
    x = torch.randn(2, 6, length, dtype=torch.float64)
    mask = torch.ones(2, 1, length, dtype=torch.float64)
    mask[1, :, max(1, length - 2) :] = 0
    projected = attention.query_key_value(x.transpose(1, 2))
    expected = torch.zeros(2, length, 6, dtype=torch.float64)
    for item in range(2):
        visible = [j for j in range(length) if mask[item, 0, j]]
        for head in range(2):
            columns = [slice(part * 6 + head * 3, part * 6 + head * 3 + 3) for part in range(3)]
            query, key, value = (projected[item][:, column] for column in columns)
            for i in range(length):
                keys, values = [], []
                for j in visible:
                    near = window is not None and abs(j - i) <= window
                    keys.append(key[j] + (attention.relative_keys[j - i + window] if near else 0))
                    values.append(value[j] + (attention.relative_values[j - i + window] if near else 0))
                weights = torch.softmax(torch.stack(keys) @ query[i] / math.sqrt(3), 0)
                expected[item, i, head * 3 : head * 3 + 3] = weights @ torch.stack(values)
    expected = attention.output(expected).transpose(1, 2)
    torch.testing.assert_close(attention(x, mask), expected)


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    encoder = TransformerEncoder(8, 12, 2, 2).double().eval()
    x = torch.randn(2, 8, 10, dtype=torch.float64)
    lengths = torch.tensor([10, 6])
    mask = (torch.arange(10) < lengths[:, None]).unsqueeze(1).double()
    together = encoder(x, mask)
    alone = encoder(x[1:, :, :6], mask[1:, :, :6])
    torch.testing.assert_close(together[1:, :, :6], alone)
    assert not together[1, :, 6:].any()
