"""A sound card that notes when it is opened, what it hears and when it is closed, for tests with real processes.

`write_card` puts a module `miniaudio` into a folder, which a process finds in its PYTHONPATH.
"""

from pathlib import Path

_MODULE = """
import pathlib, threading, time

LOG = pathlib.Path({log!r})


class MiniaudioError(Exception):
    pass


class SampleFormat:
    SIGNED16 = 1


def note(what):
    with LOG.open("a") as log:
        log.write(f"{{time.monotonic():.4f}} {{what}}\\n")


class PlaybackDevice:
    def __init__(self, output_format, nchannels, sample_rate, buffersize_msec):
        self.rate, self.step = sample_rate, sample_rate // 100
        self.closed = threading.Event()
        note("open")

    def start(self, frames):
        def run():
            began, heard = time.monotonic(), False
            for number in range(1, 1_000_000):
                data = frames.send(self.step)
                if any(data) and not heard:
                    heard = True
                    note("first")
                if any(data):
                    note("sound")
                if self.closed.wait(max(0.0, began + number * 0.01 - time.monotonic())):
                    return

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def close(self):
        self.closed.set()
        self.thread.join()
        note("close")
"""


def write_card(folder: Path) -> Path:
    """Write the module into a folder; return the file with its notes, `SECONDS WHAT` a line."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "card.log"
    log.touch()
    (folder / "miniaudio.py").write_text(_MODULE.format(log=str(log)))
    return log


def notes(log: Path) -> list[tuple[float, str]]:
    """Return what the card noted."""
    return [(float(line.split()[0]), line.split()[1]) for line in log.read_text().splitlines()]
