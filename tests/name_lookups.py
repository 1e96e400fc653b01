"""Programs that tell whether a command looks up a name: run as `python name_lookups.py audit|catch LOG WORDS...`.

`audit` runs `glowvox WORDS...` in this process and notes every name that Python asks the resolver for; a server is
asked to speak once and then ended. `catch` is for a network namespace of its own, whose resolver is this process: it
runs the rest of the line and notes every name that is asked for there, by whatever library.
"""

import fcntl
import http.client
import ipaddress
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"})


def is_name(host: object) -> bool:
    """Whether asking for a host takes a resolver: not where it is an address, or none."""
    text = host.decode() if isinstance(host, bytes) else host
    if not isinstance(text, str) or not text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return True
    return False


def audit(log: str, words: list[str]) -> int:
    """Run a command with a hook that notes names."""
    noted = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event in _EVENTS:
            host = args[0][0] if isinstance(args[0], tuple) else args[0]
            if is_name(host):
                os.write(noted, f"{host!r}\n".encode())

    sys.addaudithook(hook)
    if words[0] == "serve":
        threading.Thread(target=_speak_once, args=(int(words[words.index("--port") + 1]),), daemon=True).start()
    from glowvox.cli.main import main

    return main(words)


def _speak_once(port: int) -> None:
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            body = '{"model": "tts-1", "input": "Yes.", "voice": "kathleen", "response_format": "wav"}'
            connection.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            print("answered", answer.status, len(answer.read()), flush=True)
            break
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    time.sleep(float(os.environ.get("LINGER", "0")))
    os.kill(os.getpid(), signal.SIGTERM)


def catch(log: str, words: list[str]) -> int:
    """Be the resolver of this namespace while a program runs in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        fcntl.ioctl(plain, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up and running
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=_refuse, args=(server, log), daemon=True).start()
    return subprocess.run(words, check=False).returncode


def _refuse(server: socket.socket, log: str) -> None:
    while True:
        query, client = server.recvfrom(4096)
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{query[12:-4]!r}\n")
        server.sendto(query[:2] + b"\x81\x83" + query[4:], client)  # no such name


if __name__ == "__main__":
    sys.exit({"audit": audit, "catch": catch}[sys.argv[1]](sys.argv[2], sys.argv[3:]))
