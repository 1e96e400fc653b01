"""Playback by the module itself, for a server that does not play what its modules speak.

A player of the system (PulseAudio's, PipeWire's, ALSA's) is given samples in time, hardly ahead of what is heard: so
marks are told when they are heard, and killing the player is silence.
"""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glowvox.errors import AudioError

_PLAYERS = {
    "pulse": ("paplay", "--raw", "--format=s16le", "--channels=1", "--latency-msec=20", "--rate={rate}"),
    "pipewire": ("pw-play", "--format=s16", "--channels=1", "--latency=20ms", "--rate={rate}", "-"),
    "alsa": ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "--buffer-time=60000", "-r", "{rate}"),
}
_AHEAD_SECONDS = 0.06
_PIECE_SECONDS = 0.02


def player_command(methods: str) -> tuple[str, ...]:
    """Return the command of the first player that is installed, with `{rate}` for the sample rate.

    Args:
        methods: the server's own setting, `pulse,alsa` say; the others are tried after those.

    Raises:
        AudioError: there is none.
    """
    wished = [name.strip() for name in methods.split(",")]
    for name in [*(name for name in wished if name in _PLAYERS), *_PLAYERS]:
        if shutil.which(_PLAYERS[name][0]):
            return _PLAYERS[name]
    raise AudioError(f"nothing here plays sound: install one of {', '.join(one[0] for one in _PLAYERS.values())}")


class SystemPlayer:
    """A player of the system, for one message."""

    def __init__(self, command: tuple[str, ...], sample_rate: int) -> None:
        """Start it.

        Args:
            command: see `player_command`.
            sample_rate: in Hz.

        Raises:
            AudioError: it cannot be started.
        """
        self._rate = sample_rate
        words = [part.format(rate=sample_rate) for part in command]
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            raise AudioError(f"{words[0]} cannot be started: {error}") from error
        self._began = 0.0
        self._written = 0

    def push(self, samples: NDArray[np.int16], stopped: Callable[[], bool]) -> bool:
        """Play samples [S] after those before, waiting until they are due; return whether it still plays.

        Args:
            samples: [S].
            stopped: whether the rest shall not be played any more.
        """
        size = max(1, round(_PIECE_SECONDS * self._rate))
        for start in range(0, len(samples), size):
            if not self._written:
                self._began = time.monotonic()
            wait = self._began + self._written / self._rate - _AHEAD_SECONDS - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            if stopped():
                return False
            piece = samples[start : start + size]
            try:
                assert self._process.stdin is not None
                self._process.stdin.write(piece.astype("<i2").tobytes())
            except (OSError, ValueError):
                return False
            self._written += len(piece)
        return True

    def finish(self) -> None:
        """Wait until everything was heard."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._written / self._rate + 2.0)
        self.stop()

    def stop(self) -> None:
        """Be silent at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
