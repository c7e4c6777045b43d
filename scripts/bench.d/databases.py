"""Databases of each size, made once and kept in the cache."""

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import clone
import sample
from options import CACHE, ROOT, Failure
from postgres import Cluster
from server import run_program

# Raise it where the loader makes other rows.
LOADER_VERSION = 1


def note(text):
    """Progress goes to the error output, so that results can be kept apart."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Database:
    """One database that is filled, or a copy of one."""

    kind: str
    name: str
    size: int
    path: Path | None
    cluster: Cluster | None

    @property
    def url(self):
        return f"sqlite:{self.path}" if self.kind == "sqlite" else self.cluster.url(self.name)

    def query(self, statement):
        """Rows of one statement; ids are `id_text(column)` there, and their texts here."""
        if self.kind == "sqlite":
            connection = sqlite3.connect(self.path)
            try:
                return connection.execute(statement.replace("id_text(", "hex(")).fetchall()
            finally:
                connection.close()
        return self.cluster.query(self.name, statement.replace("id_text(", "text("))

    def copy(self, name):
        """A copy that may be changed."""
        if self.kind == "sqlite":
            path = self.path.with_name(f"{name}.db")
            remove_sqlite(path)
            checkpoint(self.path)
            shutil.copy(self.path, path)
            return Database(self.kind, name, self.size, path, None)
        self.cluster.copy(name, self.name)
        return Database(self.kind, name, self.size, None, self.cluster)

    def remove(self):
        if self.kind == "sqlite":
            remove_sqlite(self.path)
        else:
            self.cluster.drop(self.name)


def checkpoint(path):
    """Brings all of a database into its main file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def remove_sqlite(path):
    for end in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + end).unlink(missing_ok=True)


class Cache:
    """The folder of databases. Each schema has databases of its own, so a change of the schema loads them anew."""

    def __init__(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.lock = open(CACHE / "lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another run uses {CACHE}: wait for it, or set PARCELTRAIL_BENCH_CACHE") from None
        schema = hashlib.sha256(str(LOADER_VERSION).encode())
        for path in sorted((ROOT / "migrations").glob("*/*/*.sql")):
            schema.update(path.name.encode() + path.read_bytes())
        self.schema = schema.hexdigest()[:8]
        self.folder = CACHE / self.schema
        self.folder.mkdir(exist_ok=True)
        self.sample, self.facts = self.folder / "sample.db", self.folder / "sellers.json"
        self.cluster = None

    def sellers(self):
        """The sellers of every database, with their keys; the first has nine tenths of all parcels."""
        if not self.facts.exists():
            note("making the sample through the API")
            remove_sqlite(self.sample)
            sample.make(self.sample, self.facts)
            checkpoint(self.sample)
        return json.loads(self.facts.read_text())

    def get(self, kind, size):
        return self._sqlite(size) if kind == "sqlite" else self._postgres(size)

    def _sqlite(self, size):
        path, sellers = self.folder / f"{size}.db", self.sellers()
        if not path.exists():
            began, unfinished = time.monotonic(), self.folder / "unfinished.db"
            remove_sqlite(unfinished)
            shutil.copy(self.sample, unfinished)
            clone.grow(unfinished, sellers, size)
            if size <= 20_000:
                run_program(f"sqlite:{unfinished}", "check-invariants")
            remove_sqlite(path)
            os.rename(unfinished, path)
            note(f"loaded {size} parcels into SQLite in {time.monotonic() - began:.0f} s")
        return Database("sqlite", str(size), size, path, None)

    def _postgres(self, size):
        if self.cluster is None:
            self.cluster = Cluster()
        name = f"bench_{self.schema}_{size}"
        if not self.cluster.has(name):
            source, began = self._sqlite(size), time.monotonic()
            self.cluster.fill(name, source.path)
            note(f"loaded {size} parcels into PostgreSQL in {time.monotonic() - began:.0f} s")
        return Database("postgres", name, size, None, self.cluster)
