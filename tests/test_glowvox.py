"""The package's own names: loaded when used, typed, and nothing heavy before."""

import importlib
import subprocess
import sys
from importlib import metadata, resources

import pytest

import glowvox
from glowvox import errors
from glowvox.errors import MissingExtraError


@pytest.mark.parametrize("name", glowvox.__all__)
def test_every_public_name_is_there(name):
    assert getattr(glowvox, name) is getattr(glowvox, name)
    assert name in dir(glowvox)


@pytest.mark.parametrize("name", sorted(glowvox._HOMES))
def test_a_public_name_is_the_one_of_its_module(name):
    assert getattr(glowvox, name) is getattr(importlib.import_module(glowvox._HOMES[name]), name)
    assert name in glowvox.__all__


def test_every_error_has_its_name_here():
    ours = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert {error.__name__ for error in ours} == {name for name in glowvox.__all__ if name.endswith("Error")}
    assert all(getattr(glowvox, error.__name__) is error for error in ours)


def test_the_names_offered_are_the_public_ones():
    program = "import glowvox; glowvox.Audio; print(*dir(glowvox))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == sorted(glowvox.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'load_modle'"):
        glowvox.load_modle  # noqa: B018


def test_a_name_that_needs_pytorch_says_so(monkeypatch):
    def without_torch(name):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.delitem(vars(glowvox), "load_model", raising=False)
    monkeypatch.setattr(importlib, "import_module", without_torch)
    with pytest.raises(MissingExtraError, match=r"pip install 'glowvox\[train\]'"):
        glowvox.load_model  # noqa: B018


def test_version_is_the_distribution_s():
    assert metadata.version("glowvox") == glowvox.__version__


def test_types_are_shipped():
    assert resources.files("glowvox").joinpath("py.typed").is_file()


@pytest.mark.parametrize("statement", ["import glowvox", "import glowvox; glowvox.Audio", "import glowvox.cli.main"])
def test_importing_loads_nothing_heavy(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "glowvox" in loaded
    heavy = {"torch", "fastapi", "starlette", "uvicorn", "ray", "matplotlib", "scipy", "onnxruntime", "gruut"}
    assert not loaded & heavy
