"""The files for operators: what they name is there, and agrees with the server."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from glowvox.cli.main import command_parser

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def said():
    """The instructions of the Dockerfile, without those of earlier stages where a later one says it anew."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined)]


def test_the_image_copies_what_is_there_and_let_through(said):
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    for name, rest in said:
        if name == "COPY" and not rest.startswith("--from"):
            for path in rest.split()[:-1]:
                assert (ROOT / path).exists()
                assert f"!{path.removeprefix('./')}" in ignored


def test_the_image_installs_extras_that_there_are(said):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    [installed] = re.findall(r"'\.\[(.*?)\]'", " ".join(rest for name, rest in said if name == "RUN"))
    assert {"serve", "aac"} <= set(installed.split(",")) <= set(extras)


@pytest.mark.parametrize("options", [[], ["--seconds", "60"], ["--wyoming", ""]])
def test_the_image_speaks_wyoming_whatever_options_are_added(said, options):
    words = json.loads(dict(said)["ENTRYPOINT"])
    assert json.loads(dict(said)["CMD"]) == []
    args = command_parser("serve").parse_args(words[1:] + options)
    assert args.host == "0.0.0.0"
    assert args.wyoming == ("" if "--wyoming" in options else "tcp://0.0.0.0:10200")
    environment = dict(said)["ENV"]
    assert f"GLOWVOX_HEALTH=http://127.0.0.1:{args.port}/ready" in environment
    assert "GLOWVOX_HEALTH" in dict(said)["HEALTHCHECK"]


def test_compose_gives_volumes_to_the_images_user_and_time_to_finish(said):
    yaml = pytest.importorskip("yaml")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    [service] = compose["services"].values()
    assert service["user"] == dict(said)["USER"]
    places = [volume.split(":") for volume in service["volumes"]]
    assert {place for _, place in places} == set(json.loads(dict(said)["VOLUME"]))
    assert {name for name, _ in places} == set(compose["volumes"])
    owned = next(rest for name, rest in said if name == "RUN" and "install -d" in rest)
    assert all(place in owned for _, place in places)
    drain = command_parser("serve").parse_args(["serve"]).drain
    assert int(service["stop_grace_period"].removesuffix("s")) > drain
    assert service["read_only"]


def test_the_unit_is_one_and_gives_time_to_finish():
    unit = (DEPLOY / "glowvox.service").read_text()
    words = re.search(r"^ExecStart=\S+ (.*) \$GLOWVOX_OPTIONS$", unit, re.MULTILINE)[1].split()
    args = command_parser("serve").parse_args(words)
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > args.drain
    assert "MemoryDenyWriteExecute" in unit  # set, or the reason why not
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", str(DEPLOY / "glowvox.service")]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stderr.splitlines()
        assert [line for line in found if "glowvox" in line and "not executable" not in line] == []


def test_the_dashboard_asks_for_figures_that_there_are_and_for_all_of_ours():
    pytest.importorskip("fastapi")
    from tiny_voice import fake_voice

    from glowvox.serve.service import Service
    from glowvox.serve.settings import ServerSettings
    from glowvox.serve.voice_registry import VoiceRegistry

    metrics = Service(VoiceRegistry([fake_voice()]), ServerSettings()).metrics
    families = re.findall(r"^# TYPE (\S+) (\S+)$", metrics.text().decode(), re.MULTILINE)
    known = {name + end for name, kind in families for end in (("_bucket",) if kind == "histogram" else ("",))}
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    panels = dashboard["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    names = set(re.findall(r"\b(?:glowvox|process)_\w+", " ".join(asked)))
    assert names <= known
    created = {name for name in known if name.endswith("_created")}
    assert {name for name in known if name.startswith("glowvox_")} - created <= names
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(expression.count("(") == expression.count(")") for expression in asked)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24 and (x, y) not in taken
                taken.add((x, y))
