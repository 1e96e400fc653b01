"""The flow-based decoder of Glow-TTS (section 3.2, figure 2b): between a mel spectrogram and its latent."""

import torch
from torch import Tensor, nn

from glowvox.config.glow_tts import GlowTTSConfig
from glowvox.flows.affine import ActNorm
from glowvox.flows.base import Chain, Flow
from glowvox.flows.coupling import AffineCoupling
from glowvox.flows.invertible_conv import GroupedInvertibleConv
from glowvox.flows.squeeze import Squeeze
from glowvox.nn.streaming import Chunk, PieceState, Stream
from glowvox.nn.wavenet import WN


class SigmoidScale(nn.Module):
    """A coupling network whose scale is a sigmoid, near one at the start: an option of the original program."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Return shift and log scale `[B, C, T]` from `x [B, C / 2, T]`."""
        return self._scaled(self.network(x, mask, condition).to(x.dtype))

    def piece(self, x: Chunk, condition: Chunk | None, stream: Stream) -> Chunk:
        """Return shift and log scale of the columns that can be computed. See `WN.piece`."""
        assert isinstance(self.network, WN)
        return self.network.piece(x, condition, stream).map(self._scaled)

    @staticmethod
    def _scaled(predicted: Tensor) -> Tensor:
        shift, raw = predicted.chunk(2, 1)
        return torch.cat([shift, torch.log(1e-6 + torch.sigmoid(raw + 2.0))], 1)


class GlowTTSDecoder(Flow):
    """Squeeze, blocks of (ActNorm, grouped 1x1 convolution, affine coupling), and back to frames.

    The condition is the speaker's vector `[B, G, 1]`, or with pitch conditioning `[B, G, T / n_squeeze]`, see
    `GlowTTS`; None with neither. T must be a multiple of `n_squeeze`.
    """

    def __init__(self, config: GlowTTSConfig) -> None:
        super().__init__()
        self.squeeze = Squeeze(config.n_squeeze)
        self.blocks = Chain(_block(config) for _ in range(config.n_blocks))

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map a mel `x [B, M, T]` to the latent `[B, M, T]`. See `Flow.forward`."""
        squeezed, _ = self.squeeze(x, mask)
        latent, log_det = self.blocks(squeezed, self._squeezed(mask), condition)
        return self.squeeze.inverse(latent, mask)[0], log_det

    def inverse(self, z: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map a latent `z [B, M, T]` to the mel `[B, M, T]`. See `Flow.inverse`."""
        squeezed, _ = self.squeeze(z, mask)
        mel, log_det = self.blocks.inverse(squeezed, self._squeezed(mask), condition)
        return self.squeeze.inverse(mel, mask)[0], log_det

    def inverse_piece(
        self, z: Tensor, condition: Tensor | None, state: PieceState, *, final: bool
    ) -> tuple[Tensor, PieceState]:
        """Map a latent to the mel as `inverse` does, a piece of it at a time.

        Args:
            z: `[B, M, t]`, t a multiple of `n_squeeze`; the first piece, if it is not the last too, has more than
                `delay` frames.
            condition: of this piece; see the class.
            state: what the piece before left; empty for the first one.
            final: whether the latent ends with this piece.

        Returns:
            the mel `[B, M, T]` from where the piece before ended to `delay` frames before the end of this one, or to
            the end; and the state for the next piece.
        """
        stream = Stream(state, final=final)
        x = stream.arrived("latent", self.squeeze(z)[0])
        known = None
        if condition is not None:
            known = stream.joined("condition", Chunk(condition.expand(-1, -1, x.values.shape[2]), x.begin))
        for index, block in reversed(list(enumerate(self.blocks))):
            x = _undo_piece(block, x, known, stream.part(f"block {index}"))
        if known is not None:
            stream.keep("condition", known, x.end)
        return self.squeeze.inverse(x.values)[0], stream.after

    @property
    def delay(self) -> int:
        """Mel frames that must follow a frame before `inverse_piece` gives it."""
        steps = sum(network.receptive_field for network in self.modules() if isinstance(network, WN))
        return steps * self.squeeze.factor

    @property
    def receptive_field(self) -> int:
        """Mel frames on each side of an output frame that it depends on (a safe bound)."""
        return self.delay + self.squeeze.factor - 1

    def _squeezed(self, mask: Tensor | None) -> Tensor | None:
        return None if mask is None else self.squeeze.squeeze_mask(mask)


def _block(config: GlowTTSConfig) -> Chain:
    channels = config.audio.n_mels * config.n_squeeze
    network: nn.Module = WN(
        channels // 2,
        channels,
        config.condition_channels,
        channels=config.decoder_channels,
        skip_channels=config.decoder_channels,
        layers=config.n_layers,
        kernel_size=config.kernel_size,
        dilation_growth=config.dilation_growth,
        dropout=config.decoder_dropout,
    )
    if config.sigmoid_scale:
        network = SigmoidScale(network)
    coupling = AffineCoupling(network, max_log_scale=config.max_log_scale)
    return Chain([ActNorm(channels), GroupedInvertibleConv(channels, config.n_split), coupling])


def _undo_piece(block: nn.Module, z: Chunk, condition: Chunk | None, stream: Stream) -> Chunk:
    """Undo a block as far as it can be once these columns have come."""
    assert isinstance(block, Chain)
    actnorm, convolution, coupling = block
    assert isinstance(coupling, AffineCoupling) and isinstance(coupling.network, WN | SigmoidScale)
    kept = z.map(lambda values: coupling.halves(values)[0])
    predicted = coupling.network.piece(kept, condition, stream.part("coupling"))
    z = stream.until("latent", z, predicted.end)
    x = coupling.undo(z.values, predicted.values)
    return Chunk(actnorm.inverse(convolution.inverse(x)[0])[0], z.begin)
