"""A voice as one graph, from tokens to samples: what `say` does to one sentence, for runtimes that know nothing of it.

The three graphs of a voice stand inside; what `synthesis` computes between them with NumPy is written in operators:
durations, contour, noise, the latent of the vocoder with its source, mel refinement and the fades. With the same
tokens it speaks the samples of `say`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glowvox.align.prior import LONGEST_TOKEN
from glowvox.audio.mel_refinement import MelRefinement
from glowvox.audio.pitch import (
    HIGHEST_HZ,
    LOG_PITCH_STD,
    LOWEST_HZ,
    REFERENCE_HZ,
    HarmonicSource,
    harmonic_bins,
)
from glowvox.config.audio import AudioConfig
from glowvox.engines.graph_engine import (
    DECODER_NAME,
    ENCODER_NAME,
    FINAL,
    METADATA_KEY,
    POSITION,
    STREAM_KEY,
    VOCODER_NAME,
    GraphCard,
    StreamCard,
    read_metadata,
)
from glowvox.errors import VoiceError
from glowvox.export.graph_builder import GraphBuilder
from glowvox.export.merged_graph import insert, read_graph
from glowvox.export.noise_graph import pcg_states, philox_key, write_pcg_noise, write_philox_noise
from glowvox.export.refinement_graph import fade_ramp, write_refinement
from glowvox.export.source_graph import (
    clipped,
    cosine_of,
    frame_indices,
    write_pitch,
    write_source,
    write_source_mix,
)
from glowvox.synthesis.options import NOISE_BLOCK, SpeechOptions
from glowvox.synthesis.sentence_mels import FADE_SECONDS
from glowvox.synthesis.voice_card import VoiceCard, check_contracts
from glowvox.text.tokenizer import BEGIN, BLANK, BOUNDARY, END, Tokenizer
from glowvox.text.utterance import PAUSE_MARKS

if TYPE_CHECKING:
    import onnx

_FLOAT, _INT64, _BOOL, _DOUBLE = 1, 7, 9, 11
_OPSET = 18
MOST_BLOCKS = 192
"""Blocks of the vocoder's noise that a seed is stored for: a sentence of 142 s; later ones begin again."""
_ODDS = 4.0
"""Log odds of voicing are bounded by it before they are interpolated. See `audio.pitch.pitch_contour`."""


@dataclass(frozen=True)
class SpeechInputs:
    """Values of a graph that say what is spoken, and how."""

    tokens: str
    """int64 [n]: phonemes, stress and pause marks; boundaries between words, any number of them."""
    temperature: str
    """float32 [1]."""
    sigma: str
    """float32 [1]."""
    length_scale: str
    """float32 [1], one over the speed."""
    key: str
    """int64 [2], see `philox_key`."""
    states: str
    """int64 [N, 4], see `pcg_states`."""
    speaker: str | None
    """int64 [1]; None: the voice has one speaker."""


def require_graphs(folder: Path, card: VoiceCard) -> None:
    """Refuse a voice without the graphs that are exported, before anything is computed.

    Raises:
        VoiceError: it has none, or lacks some.
    """
    missing = [name for name in (ENCODER_NAME, DECODER_NAME, VOCODER_NAME) if not (folder / name).is_file()]
    if missing:
        what = "holds no graphs" if len(missing) == 3 else f"is damaged, it lacks {' and '.join(missing)}"
        raise VoiceError(f"the voice {card.name} {what}; pack it again with 'glowvox export voice'")


class SpeechGraph:
    """Writes a voice's way from tokens to samples."""

    def __init__(self, folder: Path, card: VoiceCard) -> None:
        """Read the voice's graphs.

        Args:
            folder: with the graphs.
            card: what the voice says about itself.

        Raises:
            VoiceError: it has no graphs, or needs what one graph cannot do.
            EngineError: a graph is damaged.
        """
        require_graphs(folder, card)
        self.card = card
        self.options = card.defaults
        self.tokenizer = Tokenizer.from_dict(card.tokenizer)
        self._encoder, self._decoder, self._vocoder = (
            _Part(folder / name) for name in (ENCODER_NAME, DECODER_NAME, VOCODER_NAME)
        )
        self.speakers = self._encoder.card.n_speakers
        audio = self._vocoder.card.audio
        if self.options.denoise and self._vocoder.card.n_group:
            raise VoiceError(
                f"the voice {card.name} speaks with the denoiser, which has no place in one graph; "
                "pack it with --default denoise=0"
            )
        self.audio = audio
        self._scale, self._shift = check_contracts(self._encoder.card.audio, audio)
        refine = self._vocoder.card.refine if self.options.refine is None else self.options.refine
        self._refinement = MelRefinement(audio, refine, self.options.postfilter)

    @property
    def seed_inputs(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return key and states of the voice's own seed, int64."""
        seed = self.options.seed
        return philox_key(seed).view(np.int64), pcg_states(seed, MOST_BLOCKS).view(np.int64)

    def write(self, graph: GraphBuilder, given: SpeechInputs, options: SpeechOptions | None = None) -> str:
        """Write everything; return the samples `[S]`, faded at both ends.

        Args:
            graph: to write to, of operator set 18.
            given: the inputs.
            options: contour and context; None: the voice's own.
        """
        own = options or self.options
        with graph.scope("tokens"):
            context, kept = self._tokens(graph, given.tokens, own.context_tokens)
        speaker = {} if given.speaker is None else {"speaker": given.speaker}
        length = graph.op("Shape", context, start=1, end=2)
        names = ["mean", "log_std", "log_duration"] + (["melody"] if self._encoder.card.melody else [])
        encoded = insert(
            graph, "encoder", self._encoder.model, {"tokens": context, "lengths": length, **speaker}, names
        )
        mean, log_std, log_duration, *melody = (
            graph.op("Gather", value, kept, axis=1 if name == "log_duration" else 2)
            for name, value in zip(names, encoded, strict=True)
        )
        with graph.scope("durations"):
            frames = self._frames(graph, graph.op("Reshape", log_duration, graph.integers([-1])), given.length_scale)
            ends = graph.op("CumSum", frames, graph.integers(0))
            total = graph.cut(ends, -1, None, 0)
            owner = frame_indices(graph, ends, total)
        with graph.scope("latent"):
            latent = self._latent(graph, mean, log_std, owner, total, given)
        inputs = {"latent": latent, "lengths": total, **speaker, **self._decoder.zeros(graph)}
        if melody:
            with graph.scope("contour"):
                contour = self._contour(graph, melody[0], frames, ends, total, own)
                inputs["comb"] = _harmonic_features(graph, contour, self._decoder.card.audio)
        [mel] = insert(graph, "decoder", self._decoder.model, inputs, ["mel"])
        if (self._scale, self._shift) != (1.0, 0.0):
            mel = graph.op("Add", graph.op("Mul", mel, graph.floats(self._scale)), graph.floats(self._shift))
        rows = graph.op("Reshape", graph.op("Transpose", mel, perm=[0, 2, 1]), graph.integers([-1, self.audio.n_mels]))
        with graph.scope("source"):
            vocoder_latent = self._vocoder_latent(graph, rows, total, given)
        inputs = {"mel": mel, "latent": vocoder_latent, **self._vocoder.zeros(graph)}
        [sound] = insert(graph, "vocoder", self._vocoder.model, inputs, ["audio"])
        samples = graph.op("Reshape", sound, graph.integers([-1]))
        with graph.scope("refinement"):
            samples = write_refinement(graph, self._refinement, samples, rows)
        return self._faded(graph, samples)

    def _tokens(self, graph: GraphBuilder, given: str, least: int) -> tuple[str, str]:
        """Return a sentence as the encoder reads it, `[1, N]`: where it is short, with its repetition; and its places.

        The places `[L]` are where the sentence's own tokens lie in what the encoder sees.
        """
        ids = {symbol: number for number, symbol in enumerate(self.tokenizer.symbols)}
        marks = np.zeros(len(ids), np.int64)
        marks[[ids[mark] for mark in PAUSE_MARKS if mark in ids]] = 1
        # a boundary stands between two words, not beside a pause, another boundary or an end
        mark = graph.op("Gather", graph.integers(marks), given, axis=0)
        boundary = graph.op("Equal", given, graph.integers(ids[BOUNDARY]))
        open_end = graph.op("Max", mark, graph.op("Cast", boundary, to=_INT64))
        padded = graph.op("Pad", mark, graph.integers([0, 1]), graph.integers(1))
        after = graph.cut(padded, 1, None, 0)
        before = graph.cut(graph.op("Pad", open_end, graph.integers([1, 0]), graph.integers(1)), 0, -1, 0)
        needless = graph.op("And", boundary, graph.op("Cast", graph.op("Max", before, after), to=_BOOL))
        body = graph.op("Compress", given, graph.op("Not", needless), axis=0)
        begin, end = graph.integers([ids[BEGIN]]), graph.integers([ids[END]])
        blanks = self.tokenizer.add_blank
        count = graph.op("Add", graph.op("Shape", body), graph.integers([2]))
        length = graph.op("Add", graph.op("Add", count, count), graph.integers([1])) if blanks else count
        # a short sentence is read beside its own repetition, a full stop between
        ended = graph.op("Gather", graph.integers(marks), body, axis=0)
        last = graph.cut(graph.op("Pad", ended, graph.integers([1, 0])), -1, None, 0)
        ends_open = graph.op("Sub", graph.integers([1]), last)
        between = graph.op("Slice", graph.integers([ids["."]]), graph.integers([0]), ends_open, graph.integers([0]))
        again = graph.op("Concat", between, body, axis=0)
        short = graph.op("Less", length, graph.integers([least]))
        size = graph.op("Mul", graph.op("Cast", short, to=_INT64), graph.op("Shape", again))
        more = graph.op("Slice", again, graph.integers([0]), size, graph.integers([0]))
        whole = graph.op("Concat", begin, body, more, end, axis=0)
        if blanks:
            column = graph.op("Unsqueeze", whole, graph.integers([1]))
            filler = graph.op("Expand", graph.integers([[ids[BLANK]]]), graph.op("Shape", column))
            spread = graph.op("Reshape", graph.op("Concat", filler, column, axis=1), graph.integers([-1]))
            whole = graph.op("Concat", spread, graph.integers([ids[BLANK]]), axis=0)
        tail = 2 if blanks else 1
        known = graph.op("Shape", whole)
        head = graph.op("Sub", length, graph.integers([tail]))
        places = graph.op(
            "Concat",
            _range(graph, graph.integers([0]), head),
            _range(graph, graph.op("Sub", known, graph.integers([tail])), known),
            axis=0,
        )
        return graph.op("Unsqueeze", whole, graph.integers([0])), places

    def _frames(self, graph: GraphBuilder, log_duration: str, length_scale: str) -> str:
        """Return whole frames per token `[L]`, see `predicted_frames`."""
        step = graph.integers([self._decoder.card.n_squeeze])
        wished = graph.op("Ceil", graph.op("Mul", graph.op("Exp", log_duration), length_scale))
        bounded = graph.op("Min", graph.op("Max", wished, graph.floats(0.0)), graph.floats(LONGEST_TOKEN))
        frames = graph.op("Cast", bounded, to=_INT64)
        ends = graph.op("CumSum", frames, graph.integers(0))
        last = graph.cut(ends, -1, None, 0)
        total = graph.op("Max", graph.op("Mul", graph.op("Div", last, step), step), step)
        # the last token ends where the whole does, the others there at the latest
        inner = graph.op("Min", graph.cut(ends, 0, -1, 0), total)
        borders = graph.op("Concat", graph.integers([0]), inner, total, axis=0)
        return graph.op("Sub", graph.cut(borders, 1, None, 0), graph.cut(borders, 0, -1, 0))

    def _latent(self, graph: GraphBuilder, mean: str, log_std: str, owner: str, total: str, given: SpeechInputs) -> str:
        """Return the latent `[1, M, T]`, see `sentence_latent`."""
        mels = self._decoder.card.audio.n_mels
        noise = write_philox_noise(graph, given.key, graph.op("Mul", total, graph.integers([mels])))
        noise = graph.op("Transpose", graph.op("Reshape", noise, graph.integers([1, -1, mels])), perm=[0, 2, 1])
        spread = graph.op("Exp", graph.op("Gather", log_std, owner, axis=2))
        scaled = graph.op("Mul", noise, graph.op("Mul", given.temperature, spread))
        return graph.op("Add", graph.op("Gather", mean, owner, axis=2), scaled)

    def _contour(
        self, graph: GraphBuilder, melody: str, frames: str, ends: str, total: str, options: SpeechOptions
    ) -> str:
        """Return the pitch, Hz float64 `[T]`, 0 where unvoiced. See `varied` and `pitch_contour`."""
        flat = graph.integers([-1])
        height, voicing = (graph.op("Reshape", row, flat) for row in graph.split(melody, [1, 1]))
        voiced = graph.op("Cast", graph.op("Less", graph.floats(0.0), voicing), to=_INT64)
        weights = graph.op("Mul", frames, voiced)
        count = graph.op("Max", _sum(graph, weights), graph.integers([1]))
        products = graph.op("Mul", graph.op("Cast", height, to=_DOUBLE), graph.op("Cast", weights, to=_DOUBLE))
        mean = graph.op("Div", _sum(graph, products), graph.op("Cast", count, to=_DOUBLE))
        mean = graph.op("Cast", mean, to=_FLOAT)
        wide = graph.op("Mul", graph.op("Sub", height, mean), graph.floats(options.pitch_range))
        shift = options.pitch_shift * np.log(2) / 12 / LOG_PITCH_STD
        height = graph.op("Add", graph.op("Add", mean, wide), graph.floats(shift))
        heard = graph.op("Less", graph.integers([0]), frames)
        half = graph.op("Mul", graph.op("Cast", frames, to=_DOUBLE), graph.doubles(0.5))
        middles = graph.op("Sub", graph.op("Cast", ends, to=_DOUBLE), half)
        middles, height, voicing = (
            graph.op("Compress", value, heard, axis=0)
            for value in (middles, *(graph.op("Cast", value, to=_DOUBLE) for value in (height, voicing)))
        )
        first = graph.op("Cast", graph.op("Ceil", graph.op("Sub", middles, graph.doubles(0.5))), to=_INT64)
        reached = frame_indices(graph, first, total)
        last = graph.op("Sub", graph.op("Shape", middles), graph.integers([1]))
        left = graph.op("Max", graph.op("Sub", reached, graph.integers([1])), graph.integers([0]))
        right = graph.op("Min", graph.op("Add", left, graph.integers([1])), last)
        frame = graph.op("Cast", _range(graph, graph.integers([0]), total), to=_DOUBLE)
        here = graph.op("Add", frame, graph.doubles(0.5))
        start, stop = (graph.op("Gather", middles, place, axis=0) for place in (left, right))
        gone = graph.op("Max", graph.op("Sub", here, start), graph.doubles(0.0))
        gap = graph.op("Max", graph.op("Sub", stop, start), graph.doubles(0.5))

        def line(values: str) -> str:
            one, two = (graph.op("Gather", values, place, axis=0) for place in (left, right))
            slope = graph.op("Div", graph.op("Sub", two, one), gap)
            return graph.op("Add", graph.op("Mul", slope, gone), one)

        odds = line(clipped(graph, voicing, -_ODDS, _ODDS))
        pitch = graph.op("Exp", graph.op("Mul", line(height), graph.doubles(LOG_PITCH_STD)))
        pitch = clipped(graph, graph.op("Mul", pitch, graph.doubles(REFERENCE_HZ)), LOWEST_HZ, HIGHEST_HZ)
        return graph.op("Where", graph.op("Less", graph.doubles(0.0), odds), pitch, graph.doubles(0.0))

    def _vocoder_latent(self, graph: GraphBuilder, rows: str, total: str, given: SpeechInputs) -> str:
        """Return the vocoder's latent `[1, G, T * columns]`, see `LatentStream`."""
        card = self._vocoder.card
        groups, columns = card.n_group, self.audio.hop_length // card.n_group
        needed = graph.op("Mul", total, graph.integers([columns]))
        block = graph.integers([NOISE_BLOCK])
        blocks = graph.op("Div", graph.op("Add", needed, graph.integers([NOISE_BLOCK - 1])), block)
        stored = graph.op("Shape", given.states, start=0, end=1)
        chosen = graph.op("Mod", _range(graph, graph.integers([0]), blocks), stored)
        states = graph.op("Gather", given.states, chosen, axis=0)
        noise = write_pcg_noise(graph, states, NOISE_BLOCK * groups)
        noise = graph.op("Reshape", noise, graph.integers([-1, groups]))
        noise = graph.op("Slice", noise, graph.integers([0]), needed, graph.integers([0]))
        latent = graph.op("Mul", noise, given.sigma)
        network, mix = card.pitch_network(), card.source_mix_network()
        if network is not None:
            source = HarmonicSource(self.audio.sample_rate, self.audio.hop_length)
            pulses, gain = write_source(graph, source, *write_pitch(graph, network, rows))
            if mix is not None:
                louder, noisier = write_source_mix(graph, mix, rows)
                pulses, gain = graph.op("Mul", pulses, louder), graph.op("Mul", gain, noisier)
            latent = graph.op("Add", graph.op("Mul", latent, gain), pulses)
        return graph.op("Unsqueeze", graph.op("Transpose", latent, perm=[1, 0]), graph.integers([0]))

    def _faded(self, graph: GraphBuilder, samples: str) -> str:
        """Return samples `[S]` that neither begin nor end with a click, see `EdgeFade`."""
        length = max(1, round(FADE_SECONDS * self.audio.sample_rate))
        ramp = graph.floats(fade_ramp(length))
        size = graph.op("Shape", samples)
        place = _range(graph, graph.integers([0]), size)
        behind = graph.op("Sub", graph.op("Sub", size, graph.integers([1])), place)
        for distance in (place, behind):
            near = graph.op("Min", distance, graph.integers([length]))
            samples = graph.op("Mul", samples, graph.op("Gather", ramp, near, axis=0))
        return samples


class _Part:
    """One of a voice's graphs."""

    def __init__(self, place: Path) -> None:
        metadata = read_metadata(place)
        self.card = GraphCard.from_json(metadata.get(METADATA_KEY), str(place))
        self._stream = StreamCard.from_json(metadata.get(STREAM_KEY), str(place))
        self.model: onnx.ModelProto = read_graph(place)

    def zeros(self, graph: GraphBuilder) -> dict[str, str]:
        """Return the inputs of a signal that comes in one piece."""
        if self._stream is None:
            return {}
        zero = graph.floats(0.0)
        found = {POSITION: graph.integers([0]), FINAL: graph.integers([1])}
        for name, (rows, channels) in self._stream.states.items():
            found[name] = graph.op("Expand", zero, graph.integers([1, rows, channels]))
        return found


def new_graph() -> GraphBuilder:
    """Return an empty graph of the operator set that speech graphs need."""
    return GraphBuilder(opset=_OPSET)


def _harmonic_features(graph: GraphBuilder, pitch: str, config: AudioConfig) -> str:
    """Return the harmonic features `[1, K, T]` of a pitch, float64 `[T]`. See `harmonic_features`."""
    centres, widths = harmonic_bins(config)
    row = graph.op("Unsqueeze", pitch, graph.integers([0]))
    voiced = graph.op("Less", graph.doubles(0.0), row)
    hertz = graph.op("Where", voiced, row, graph.doubles(REFERENCE_HZ))
    cosine = cosine_of(graph, graph.op("Div", graph.doubles(2 * np.pi * centres[:, None]), hertz))
    angle = graph.op("Div", graph.doubles(np.pi * widths[:, None]), hertz)
    smoothed = graph.op("Div", graph.op("Sin", angle), angle)
    cosine = graph.op("Mul", cosine, graph.op("Mul", smoothed, smoothed))
    height = graph.op("Log", graph.op("Div", hertz, graph.doubles(REFERENCE_HZ)))
    height = graph.op("Div", height, graph.doubles(LOG_PITCH_STD))
    there = graph.op("Cast", voiced, to=_DOUBLE)
    channels = graph.op("Mul", graph.op("Concat", there, height, cosine, axis=0), there)
    return graph.op("Unsqueeze", graph.op("Cast", channels, to=_FLOAT), graph.integers([0]))


def _range(graph: GraphBuilder, start: str, end: str) -> str:
    """Return the whole numbers from one value [1] up to another."""
    scalars = (graph.op("Squeeze", value, graph.integers([0])) for value in (start, end))
    return graph.op("Range", *scalars, graph.integers(1))


def _sum(graph: GraphBuilder, values: str) -> str:
    return graph.op("ReduceSum", values, graph.integers([0]), keepdims=1)
