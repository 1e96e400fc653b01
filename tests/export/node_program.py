"""JavaScript that is run by Node, for tests of what is written for the browser."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NODE_MODULES = Path(os.environ.get("GLOWVOX_NODE_MODULES", "node_modules"))
RUNTIME = NODE_MODULES / "onnxruntime-web"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
needs_runtime = pytest.mark.skipif(
    shutil.which("node") is None or not RUNTIME.is_dir(),
    reason="node with onnxruntime-web is not here; GLOWVOX_NODE_MODULES says where",
)


def run_node(folder, program, given=None):
    """Run the body of a module in a folder; it has `given`, and what it returns is returned."""
    (folder / "package.json").exists() or (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    (folder / "program.js").write_text(
        'import fs from "node:fs";\n'
        'const given = JSON.parse(fs.readFileSync("given.json"));\n'
        f"const made = await (async () => {{{program}}})();\n"
        'fs.writeFileSync("made.json", JSON.stringify(made ?? null));\n'
    )
    done = subprocess.run(["node", "program.js"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "made.json").read_text())
