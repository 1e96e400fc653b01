"""`glowvox doctor`: what is installed, what this machine can do, and what will be used."""

import argparse
import json
from typing import Any

SUMMARY = "show what is installed and what will be used"
EXAMPLE = """\
examples:
  glowvox doctor
  glowvox doctor --json
"""
_PACKAGES = (
    "numpy",
    "onnxruntime",
    "soundfile",
    "soxr",
    "safetensors",
    "gruut_lang_en",
    "openvino",
    "torch",
    "triton",
    "onnx",
    "tensorrt",
    "fastapi",
    "wyoming",
    "ray",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    found = _found()
    print(json.dumps(found, indent=2) if args.json else _as_text(found))
    return 0


def _found() -> dict[str, Any]:
    import platform

    from glowvox import __version__
    from glowvox.engines.choose import choose_engine, installed_engines
    from glowvox.engines.machine import processor
    from glowvox.errors import GlowvoxError
    from glowvox.synthesis.installed_voices import installed_voices

    machine = processor()
    try:
        chosen = choose_engine()
        engine: dict[str, Any] = {"name": chosen.name, "reason": chosen.reason}
    except GlowvoxError as error:
        engine = {"name": None, "reason": str(error)}
    return {
        "glowvox": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": {"name": machine.name, "cores": machine.cores, "features": list(machine.features)},
        "gpu": _gpu(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "engines": installed_engines(),
        "engine": engine,
        "left_out": _left_out(engine["name"]),
        "cache": _cache(),
        "voices": {voice.name: str(voice.path) for voice in installed_voices()},
    }


def _gpu() -> str:
    """Return what of a GPU the engine torch can use."""
    try:
        import torch
    except ImportError:
        return "unknown: PyTorch, which would use it, is not installed"
    if not torch.cuda.is_available():
        return "none that PyTorch can use"
    names = ", ".join(torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count()))
    kernels = "fused kernels" if _version("triton") else "no fused kernels, which need Triton"
    return f"{names}; {kernels}; use it by --device cuda"


def _left_out(chosen: str | None) -> dict[str, str]:
    """Return why the other engines would not run an exported graph here."""
    from glowvox.engines.choose import ENGINES, choose_engine
    from glowvox.errors import GlowvoxError

    found = {}
    for name in ENGINES:
        if name == chosen:
            continue
        try:
            choose_engine(name)
            found[name] = "installed; another one is faster here, or as fast and smaller"
        except GlowvoxError as error:
            found[name] = str(error)
    return found


def _cache() -> dict[str, Any]:
    """Return where optimised graphs are kept, and how large they are."""
    from glowvox.storage.cache import cache_folder

    folder = cache_folder()
    if folder is None:
        return {"folder": None, "bytes": 0}
    try:
        size = sum(entry.stat().st_size for entry in folder.iterdir() if entry.is_file())
    except OSError:
        size = 0
    return {"folder": str(folder), "bytes": size}


def _version(package: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _as_text(found: dict[str, Any]) -> str:
    from glowvox.errors import counted

    machine, engine = found["processor"], found["engine"]
    installed = [f"{name} {version}" for name, version in found["packages"].items() if version]
    missing = [name for name, version in found["packages"].items() if not version]
    engines = [f"{name} ({version})" for name, version in found["engines"].items()]
    lines = [
        f"glowvox      {found['glowvox']}, Python {found['python']}, {found['system']}",
        f"processor    {machine['name']}, {counted(machine['cores'], 'core')}",
        f"features     {' '.join(machine['features']) or 'none that matter, or unknown'}",
        f"GPU          {found['gpu']}",
        f"installed    {', '.join(installed)}",
        f"not there    {', '.join(missing) or 'nothing'}",
        f"engines      {', '.join(engines) or 'none'}",
        f"chosen       {engine['name'] or 'none'}: {engine['reason']}",
        *(f"not chosen   {name}: {why}" for name, why in found["left_out"].items()),
        f"cache        {_cache_text(found['cache'])}",
        f"voices       {', '.join(found['voices']) or 'none'}",
    ]
    return "\n".join(lines)


def _cache_text(cache: dict[str, Any]) -> str:
    if cache["folder"] is None:
        return "off"
    return f"{cache['folder']}, {cache['bytes'] / 1e6:.0f} MB of optimised graphs"
