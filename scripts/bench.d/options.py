"""Options, read from the environment."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = os.environ["PARCELTRAIL"]
DATABASES = os.environ.get("PARCELTRAIL_BENCH_DATABASES", "sqlite postgres").split()
SIZES = [int(size) for size in os.environ.get("PARCELTRAIL_BENCH_SIZES", "10000 100000 1000000").split()]
CACHE = Path(os.environ.get("PARCELTRAIL_BENCH_CACHE", f"{tempfile.gettempdir()}/parceltrail-bench-cache"))
ROUNDS = int(os.environ.get("PARCELTRAIL_BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("PARCELTRAIL_BENCH_SECONDS", "4"))
CONNECTIONS = int(os.environ.get("PARCELTRAIL_BENCH_CONNECTIONS", "16"))

# 32 zero bytes: the data is made up, and a database in the cache must open again.
SECRET_KEY = "A" * 43 + "="


class Failure(Exception):
    """An error that ends the run, with a message for people."""
