"""How long the command takes to start: `minisql -c 'SELECT 1'` beside `python -c 'import pyarrow'`, whole processes.

    pip install . && python benchmarks/startup.py

Needs an installed minisql: from a source tree every start may compile the modules anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from compare import measure, print_table


def run(*command: str) -> bool:
    return subprocess.run(command, check=True, capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15)
    options = parser.parse_args()
    command = str(Path(sys.executable).with_name("minisql"))
    ours = partial(run, command, "-c", "SELECT 1")
    theirs = partial(run, sys.executable, "-c", "import pyarrow")
    print_table("Start-up", [measure("SELECT 1", ours, theirs, options.repeat)], "import pyarrow")


if __name__ == "__main__":
    main()
