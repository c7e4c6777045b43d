"""Closed-loop load: each connection sends its next request when the last one is answered."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from options import CONNECTIONS, Failure


@dataclass
class Result:
    """The outcome of one round: requests a second, failed requests, latencies in milliseconds."""

    rate: float
    failed: int
    p50: float
    p95: float


class Connection:
    """A connection of HTTP/1.1 that is kept open."""

    def __init__(self, server, key=None):
        self.server, self.reader, self.writer = server, None, None
        authorization = f"Authorization: Bearer {key}\r\n" if key else ""
        self.head = f"Host: {server.address}\r\nAccept: application/json\r\n{authorization}"

    async def request(self, method, path, body=b"", timeout=60):
        """Returns the status; raises `OSError` or `TimeoutError` where there is none."""
        try:
            return await asyncio.wait_for(self._request(method, path, body), timeout)
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.CancelledError):
            self.close()
            raise

    async def _request(self, method, path, body):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.server.host, self.server.port, limit=1 << 20)
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{self.head}{length}\r\n".encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "\r\ntransfer-encoding: chunked" in head:
            while size := int(await self.reader.readline(), 16):
                await self.reader.readexactly(size + 2)
            await self.reader.readline()
        elif "\r\ncontent-length:" in head:
            await self.reader.readexactly(int(head.split("\r\ncontent-length:")[1].split("\r\n")[0]))
        if "\r\nconnection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1])

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def percentile(values, of):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * of / 100), len(ordered) - 1)] if ordered else float("nan")


def run(server, key, paths, seconds):
    """One round over these paths."""
    if shutil.which("wrk"):
        return _run_wrk(server, key, paths, seconds)
    return asyncio.run(_run_here(server, key, paths, seconds))


def _run_wrk(server, key, paths, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(paths) + "\n")
        file.flush()
        script = Path(__file__).with_name("load.lua")
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(round(seconds), 1)}s", "--timeout", "60s", "-s", script,
             f"http://{server.address}"],
            env=os.environ | {"BENCH_KEY": key or "", "BENCH_PATHS": file.name}, capture_output=True, text=True,
            timeout=seconds + 120)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            found = json.loads(line.removeprefix("RESULT "))
            rate = found["requests"] / found["seconds"]
            return Result(rate, found["failed"], found["p50"], found["p95"])
    raise Failure(f"wrk failed: {done.stdout}{done.stderr}")


async def _run_here(server, key, paths, seconds):
    """The fallback without wrk. It sends slower than wrk, so fast routes look slower than they are."""
    took, failed, began = [], 0, time.monotonic()

    async def loop(first):
        nonlocal failed
        connection, at = Connection(server, key), first
        while time.monotonic() < began + seconds:
            sent = time.monotonic()
            try:
                status = await connection.request("GET", paths[at % len(paths)])
            except (OSError, EOFError, asyncio.TimeoutError):
                status = 0
            failed += status != 200
            took.append((time.monotonic() - sent) * 1000)
            at += CONNECTIONS
        connection.close()

    await asyncio.gather(*(loop(first) for first in range(CONNECTIONS)))
    return Result(len(took) / (time.monotonic() - began), failed, percentile(took, 50), percentile(took, 95))
