"""Makes TPC-H tables as Parquet files with DuckDB's extension.

DuckDB's extension wheels exist for one version of DuckDB only, so a virtual environment of its own makes the data; the
engines that are measured only read files. The files are kept: a second call finds them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

TABLES = ("lineitem", "orders", "customer", "part", "partsupp", "supplier", "nation", "region")
GENERATOR = ("duckdb==1.5.5", "duckdb-extension-tpch==1.5.5")

_SCRIPT = """
import pathlib, sys, duckdb, duckdb_extension_tpch
folder, scale = pathlib.Path(sys.argv[1]), sys.argv[2]
extension = next(pathlib.Path(duckdb_extension_tpch.__path__[0]).rglob("tpch.duckdb_extension"))
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"CALL dbgen(sf={scale})")
for table in sys.argv[3:]:
    connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
"""


def tpch_folder(scale: float) -> Path:
    """The folder with the tables as `<table>.parquet`, made at the first call for a scale factor."""
    folder = Path(tempfile.gettempdir()) / f"minisql-tpch-{scale:g}"
    if all((folder / f"{table}.parquet").exists() for table in TABLES):
        return folder
    folder.mkdir(exist_ok=True)
    environment = Path(tempfile.gettempdir()) / "minisql-tpch-generator"
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *GENERATOR], check=True)
    subprocess.run([python, "-c", _SCRIPT, str(folder), str(scale), *TABLES], check=True)
    return folder


if __name__ == "__main__":
    print(tpch_folder(float(sys.argv[1]) if len(sys.argv) > 1 else 1))
