"""Finds the virtual environment that scripts/oracles makes."""
import importlib.util
import os
import sys


def use_the_venv(module, name):
    """Runs the program again by that environment's Python where `module`, of the package `name`, is not at hand."""
    if importlib.util.find_spec(module):
        return
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    python = os.path.join(root, ".build-oracles", "bin", "python")
    program = os.path.abspath(sys.argv[0])
    if os.environ.get("ORACLES_PYTHON") or not os.path.exists(python):
        sys.exit(f"{os.path.splitext(os.path.basename(program))[0]}: no {name} here: run scripts/oracles")
    os.execve(python, [python, program, *sys.argv[1:]], {**os.environ, "ORACLES_PYTHON": python})
