"""The text on the clipboard, read by whichever program of the desktop is there."""

import os
import shutil
import subprocess
import sys

from glowvox.errors import ConfigError, TextError

_WAYLAND = (("wl-paste", "--no-newline", "--type", "text"),)
_X11 = (("xclip", "-selection", "clipboard", "-out"), ("xsel", "--clipboard", "--output"))
_MACOS = (("pbpaste",),)
_WINDOWS = (
    ("powershell.exe", "-NoProfile", "-Command", "[Console]::OutputEncoding=[Text.Encoding]::UTF8; Get-Clipboard -Raw"),
)
_SECONDS = 10.0


def clipboard_text() -> str:
    """Return the text on the clipboard.

    Raises:
        ConfigError: there is no program that reads it, or none of them can.
        TextError: it holds no text.
    """
    known = _programs()
    there = [command for command in known if shutil.which(command[0]) is not None]
    if not there:
        names = ", ".join(command[0] for command in known)
        raise ConfigError(f"nothing here reads the clipboard: install one of {names}, or pipe the text")
    failed = ""
    for command in there:
        try:
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            failed = failed or f"{command[0]} does not answer"
            continue
        except OSError as error:
            failed = failed or f"{command[0]} cannot be started ({error.strerror})"
            continue
        if done.returncode == 0:
            text = done.stdout.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "")
            if text.strip():
                return text
            raise TextError("nothing to say: the clipboard holds no text")
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
        failed = failed or f"{command[0]}: {said or f'exit status {done.returncode}'}"
    raise ConfigError(f"the clipboard cannot be read, or holds no text ({failed})")


def _programs() -> tuple[tuple[str, ...], ...]:
    """Return the commands that may read it, those of this desktop first."""
    if sys.platform == "darwin":
        return _MACOS
    if sys.platform == "win32":
        return _WINDOWS
    own = _WAYLAND + _X11 if os.environ.get("WAYLAND_DISPLAY") else _X11 + _WAYLAND
    return own + _WINDOWS if os.environ.get("WSL_DISTRO_NAME") else own
