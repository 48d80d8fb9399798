"""The virtual environment that scripts/oracles makes."""
import os
import sys


def use_the_venv(module):
    """Runs the calling program again by the venv where `module` is not at hand."""
    try:
        __import__(module)
    except ImportError:
        program = os.path.abspath(sys.argv[0])
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        python = os.path.join(root, ".build-oracles", "bin", "python")
        if os.environ.get("ORACLES_PYTHON") or not os.path.exists(python):
            sys.exit(f"{os.path.basename(program)}: no {module} here: run scripts/oracles")
        os.execve(python, [python, program, *sys.argv[1:]], {**os.environ, "ORACLES_PYTHON": python})
