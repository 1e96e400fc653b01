"""Run the steps of the Dockerfile without Docker: in folders made from Debian's packages, with chroot.

    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm /var/tmp/debian
    python deploy/try_image.py /var/tmp/debian

Each stage is a copy of the folder in which its instructions are carried out in order; then the image's command is
started as its user, and has to become healthy, to speak every format, to listen for Wyoming and to end at its stop
signal. What a chroot cannot show is left out: the base image itself, limits, and a root that is read-only. Takes root
and the network.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
MOUNTED = {"proc": ["-t", "proc", "proc"], "sys": ["-t", "sysfs", "-o", "ro", "sysfs"], "dev": ["-t", "tmpfs", "tmpfs"]}
"""What every container has; ONNX Runtime asks /proc and /sys about the processor."""
DEVICES = ("null", "zero", "urandom")
FROM_HERE = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/apt/apt.conf.d", "/etc/ssl/certs/ca-certificates.crt")
"""Files by which this machine reaches the network; a container's engine gives a build its own."""


@dataclass
class Stage:
    """A stage of a build, or the image: its folder, and what its instructions have set."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    )
    folder: str = "/"
    user: str = "0:0"
    said: dict[str, list[str]] = field(default_factory=dict)
    """Instructions in JSON's form: entry point, command, health check."""

    def leave(self) -> None:
        """Take away what was mounted inside."""
        for place in reversed(MOUNTED):
            if os.path.ismount(self.root / place):
                subprocess.run(["umount", str(self.root / place)], check=True)

    def command(self, words: list[str]) -> list[str]:
        """Return the command that runs another one inside."""
        inner = f"cd {shlex.quote(self.folder)} && exec {shlex.join(words)}"
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        options = [f"--userspec={self.user}", str(self.root)]
        return ["chroot", *options, "/usr/bin/env", "-i", *settings, *network(), "/bin/sh", "-c", inner]


def network() -> list[str]:
    """Return the variables by which this machine's programs reach the network."""
    wanted = re.compile(r"(https?_proxy|no_proxy|PIP_.*|SSL_CERT_FILE)", re.IGNORECASE)
    return [f"{name}={value}" for name, value in os.environ.items() if wanted.fullmatch(name)]


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each as its name and the rest of its line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


def build(text: str, base: Path, folder: Path, also: list[str], stages: dict[str, Stage]) -> Stage:
    """Carry out the instructions of a Dockerfile, each stage noted as it begins; return the last one."""
    arguments: dict[str, str] = {}
    stage: Stage | None = None
    for name, rest in instructions(text):
        print(f"{name} {rest[:100]}", flush=True)
        if name == "ARG":
            key, _, value = rest.partition("=")
            arguments[key] = value
            continue
        if name == "FROM":
            alias = rest.split(" AS ")[1] if " AS " in rest else str(len(stages))
            stage = stages[alias] = Stage(folder / alias)
            begin(stage, base, also)
            continue
        if stage is None:
            raise SystemExit(f"{name} before FROM")
        if name == "ENV":
            for one in shlex.split(rest):
                key, _, value = one.partition("=")
                stage.environment[key] = value.replace("$PATH", stage.environment["PATH"])
        elif name == "WORKDIR":
            stage.folder = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "USER":
            stage.user = rest
        elif name == "COPY":
            copy(stage, rest.split(), stages)
        elif name == "RUN":
            subprocess.run(stage.command(["/bin/sh", "-c", rest]), check=True)
        elif name in ("ENTRYPOINT", "CMD"):
            stage.said[name] = json.loads(rest)
        elif name == "HEALTHCHECK":
            stage.said[name] = json.loads(rest.partition("CMD ")[2])
        elif name not in ("EXPOSE", "VOLUME", "STOPSIGNAL"):
            raise SystemExit(f"{name} is not understood")
    if stage is None:
        raise SystemExit("there is no stage")
    return stage


def begin(stage: Stage, base: Path, also: list[str]) -> None:
    """Make the folder of a stage."""
    stage.leave()
    subprocess.run(["rm", "--recursive", "--force", "--one-file-system", str(stage.root)], check=True)
    stage.root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", "--reflink=auto", str(base), str(stage.root)], check=True)
    for path in map(Path, (*FROM_HERE, *also)):
        target = stage.root / path.relative_to("/")
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        elif path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for place, options in MOUNTED.items():
        subprocess.run(["mount", *options, str(stage.root / place)], check=True)
    for name in DEVICES:
        known, own = Path("/dev", name).stat(), stage.root / "dev" / name
        os.mknod(own, known.st_mode, known.st_rdev)
        own.chmod(0o666)
    python = stage.root / "usr/local/bin/python"  # which the image of Python has, and Debian has not
    if not python.exists():
        python.symlink_to("/usr/bin/python3")


def copy(stage: Stage, words: list[str], stages: dict[str, Stage]) -> None:
    """Copy files of the repository, or of another stage."""
    source = ROOT
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    goal = stage.root / (stage.folder + "/" + target if not target.startswith("/") else target).lstrip("/")
    for name in names:
        path = source / name.lstrip("/")
        if path.is_dir():
            ignore = shutil.ignore_patterns("__pycache__") if source == ROOT else None
            shutil.copytree(path, goal, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        else:
            goal.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, goal)


def try_out(stage: Stage, options: list[str], seconds: float = 120.0) -> None:
    """Start the image's command with options, and see that it does what it is for."""
    words = stage.said["ENTRYPOINT"] + (options or stage.said["CMD"])
    print(f"{shlex.join(words)} as {stage.user}", flush=True)
    server = subprocess.Popen(stage.command(words))
    try:
        end = time.monotonic() + seconds
        while subprocess.run(
            stage.command(stage.said["HEALTHCHECK"]), stderr=subprocess.DEVNULL, check=False
        ).returncode:
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server is not healthy")
            time.sleep(0.5)
        for form in FORMATS:
            body = json.dumps({"input": "Hello, world.", "response_format": form}).encode()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request("http://127.0.0.1:8080/v1/audio/speech", body, headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                print(f"{form}: {answer.status}, {len(answer.read())} bytes", flush=True)
        with socket.create_connection(("127.0.0.1", 10200), timeout=10) as client:
            client.sendall(b'{"type": "describe"}\n')
            print(f"Wyoming: {client.recv(80)!r}", flush=True)
        server.send_signal(signal.SIGTERM)
        if server.wait(60):
            raise SystemExit(f"the server ended with status {server.returncode}")
    finally:
        server.kill()
        server.wait()


def main() -> None:
    """Build the image's stages and try the last one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("base", type=Path, help="folder that debootstrap has made")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/glowvox-image"), help="where the stages are made")
    parser.add_argument("--also", action="append", default=[], metavar="PATH", help="what pip needs of this machine")
    args = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("chroot takes root")
    stages: dict[str, Stage] = {}
    try:
        text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
        stage = build(text, args.base, args.folder, args.also, stages)
        try_out(stage, [])
        try_out(stage, ["--seconds", "60"])  # a command of one's own still speaks Wyoming
    finally:
        for stage in stages.values():
            stage.leave()


if __name__ == "__main__":
    main()
