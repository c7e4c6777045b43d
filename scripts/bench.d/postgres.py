"""A PostgreSQL of our own in the cache, and copies of SQLite databases into it."""

import os
import shutil
import sqlite3
import struct
import subprocess
import time
from pathlib import Path

from options import CACHE, Failure
from server import run_program

SETTINGS = ("listen_addresses=127.0.0.1", "shared_buffers=512MB", "max_wal_size=4GB", "max_connections=200")
FOLDER = CACHE / "postgres"
NULL = struct.pack("!i", -1)
EPOCH = 946_684_800_000_000
_running = []


def _fixed(layout):
    size, packed = struct.pack("!i", struct.calcsize(layout)), struct.Struct(layout).pack
    return lambda value: size + packed(value)


def _sized(value):
    return struct.pack("!i", len(value)) + value


# How the value that SQLite keeps is written in PostgreSQL's binary format, by the type of the column there.
PACKERS = {
    "uuid": _sized,
    "bytea": _sized,
    "text": lambda value: _sized(value.encode()),
    "jsonb": lambda value: _sized(b"\x01" + value.encode()),
    "bool": _fixed("!?"),
    "int2": _fixed("!h"),
    "int4": _fixed("!i"),
    "int8": _fixed("!q"),
    "float8": _fixed("!d"),
    "timestamptz": lambda value: struct.pack("!iq", 8, value - EPOCH),
}


def _programs():
    initdb = shutil.which("initdb")
    if initdb:
        return Path(initdb).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if not found:
        raise Failure("PostgreSQL's programs are missing")
    return found[-1]


def _as_owner(*command):
    """Runs a command as the user that owns the files: PostgreSQL refuses to run as root."""
    if os.getuid() == 0:
        command = ("runuser", "-u", "postgres", "--", *command)
    subprocess.run([str(word) for word in command], cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=300)


class Cluster:
    """A running PostgreSQL."""

    def __init__(self):
        self.bin, self.data = _programs(), FOLDER / "data"
        if not FOLDER.exists():
            FOLDER.mkdir(parents=True)
            if os.getuid() == 0:
                CACHE.chmod(0o711)
                shutil.chown(FOLDER, "postgres")
        if not (self.data / "PG_VERSION").exists():
            _as_owner(self.bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        if (self.data / "postmaster.pid").exists():
            self._stop_leftover()
        self.port = 20_000 + int.from_bytes(os.urandom(2), "big") % 40_000
        self._start("")
        _running.append(self)

    def _start(self, more):
        settings = " ".join(f"-c {setting}" for setting in SETTINGS)
        options = f"-p {self.port} -c unix_socket_directories={FOLDER} {settings} {more}"
        _as_owner(self.bin / "pg_ctl", "-D", self.data, "-l", FOLDER / "log", "-w", "-s", "-o", options, "start")

    def _stop_leftover(self):
        """Stops the server of a run that was killed; its file may also be left over without a server."""
        try:
            _as_owner(self.bin / "pg_ctl", "-D", self.data, "-m", "fast", "-s", "-w", "stop")
        except subprocess.CalledProcessError:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self):
        if self in _running:
            _running.remove(self)
            _as_owner(self.bin / "pg_ctl", "-D", self.data, "-m", "fast", "-s", "-w", "stop")

    def url(self, name):
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def query(self, name, *statements):
        """Runs statements and returns the rows of the last, each a list of texts."""
        commands = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", *commands, self.url(name)],
                              capture_output=True, text=True, timeout=1800)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def has(self, name):
        return bool(self.query("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def drop(self, name):
        self.query("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def copy(self, name, source):
        """Makes a database as a copy of another."""
        self.drop(name)
        self.query("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{source}" STRATEGY FILE_COPY')

    def fill(self, name, path):
        """Makes a database with all rows of an SQLite file, and waits until autovacuum has analyzed the new tables."""
        unfinished = f"{name}_unfinished"
        self.drop(unfinished)
        self.query("postgres", f'CREATE DATABASE "{unfinished}"')
        run_program(self.url(unfinished), "migrate")
        types = {}
        for table, column, kind in self.query(
                unfinished, "SELECT table_name, column_name, udt_name FROM information_schema.columns "
                "WHERE table_schema = 'public' ORDER BY ordinal_position"):
            types.setdefault(table, {})[column] = kind
        connection = sqlite3.connect(path)
        tables = [table for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                  if table in types and table != "__diesel_schema_migrations"]
        self.query(unfinished, f"TRUNCATE {', '.join(tables)} CASCADE")
        for table in tables:
            self._copy_table(unfinished, connection, table, types[table])
        connection.close()
        self._await_statistics(unfinished)
        self.query("postgres", f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')

    def _copy_table(self, name, connection, table, types):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        packers = [PACKERS[types[column]] for column in columns]
        listed, count = ", ".join(columns), struct.pack("!h", len(columns))
        copying = subprocess.Popen(
            ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", "SET session_replication_role = replica",
             "-c", f"COPY {table} ({listed}) FROM STDIN (FORMAT binary)", self.url(name)], stdin=subprocess.PIPE)
        out = copying.stdin
        try:
            out.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for row in connection.execute(f"SELECT {listed} FROM {table} ORDER BY rowid"):
                cells = [NULL if cell is None else pack(cell) for pack, cell in zip(packers, row)]
                out.write(count + b"".join(cells))
            out.write(struct.pack("!h", -1))
        except BrokenPipeError:
            pass
        copying.communicate()
        if copying.returncode != 0:
            raise Failure(f"the rows of {table} could not be copied")

    def _await_statistics(self, name):
        """Autovacuum analyzes new tables within two minutes. Without this wait it would do so while we measure."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            [[waiting]] = self.query(name, "SELECT count(*) FROM pg_stat_user_tables WHERE n_live_tup > 1000 "
                                     "AND last_autoanalyze IS NULL")
            if waiting == "0":
                return
            time.sleep(2)


def stop_all():
    """Stops every PostgreSQL that still runs."""
    for cluster in list(_running):
        cluster.stop()
