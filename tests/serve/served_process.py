"""A server as a process of its own, with a voice that speaks slowly: `python served_process.py PORT DELAY DRAIN`."""

import sys
from pathlib import Path


def main(port: int, delay: float, drain: float) -> None:
    from loopback import slow_voice

    from glowvox.serve.access_log import log_to_stderr
    from glowvox.serve.application import create_app
    from glowvox.serve.server import run
    from glowvox.serve.settings import Address, ServerSettings

    with log_to_stderr():
        run(create_app([slow_voice(delay)[0]], ServerSettings(workers=1)), Address(port=port, drain_seconds=drain))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent)]
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
