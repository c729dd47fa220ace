"""Makes the tables of TPC-H and TPC-DS as Parquet files, and their queries, with DuckDB's extensions.

DuckDB's extension packages exist for one version of DuckDB only, so a virtual environment of its own makes the data;
the engines that are measured only read files. The files are kept: a second call finds them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

VERSION = "1.5.5"
GENERATOR = (f"duckdb=={VERSION}", f"duckdb-extension-tpch=={VERSION}", f"duckdb-extension-tpcds=={VERSION}")

_SCRIPT = """
import importlib, json, pathlib, sys, duckdb
folder, name, scale = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
module = importlib.import_module(f"duckdb_extension_{name}")
extension = next(pathlib.Path(module.__path__[0]).rglob(f"{name}.duckdb_extension"))
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
connection.execute(f"LOAD '{extension}'")
connection.execute(f"CALL {'dbgen' if name == 'tpch' else 'dsdgen'}(sf={scale})")
for (table,) in connection.execute("SHOW TABLES").fetchall():
    connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
queries = dict(connection.execute(f"SELECT query_nr, query FROM {name}_queries()").fetchall())
(folder / "queries.json").write_text(json.dumps(queries))
"""


def tpc_folder(name: str, scale: float) -> Path:
    """The folder with the tables of `tpch` or `tpcds` as `<table>.parquet`, made at the first call for a scale."""
    folder = Path(tempfile.gettempdir()) / f"minisql-{name}-{scale:g}"
    if (folder / "queries.json").exists():
        return folder
    folder.mkdir(exist_ok=True)
    environment = Path(tempfile.gettempdir()) / f"minisql-tpc-generator-{VERSION}"
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *GENERATOR], check=True)
    subprocess.run([python, "-c", _SCRIPT, str(folder), name, str(scale)], check=True)
    return folder


def tpc_queries(folder: Path) -> dict[int, str]:
    """The queries that were made with the tables, by their numbers."""
    return {int(number): sql for number, sql in json.loads((folder / "queries.json").read_text()).items()}


if __name__ == "__main__":
    print(tpc_folder(sys.argv[1], float(sys.argv[2])))
