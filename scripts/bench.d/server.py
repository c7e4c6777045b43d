"""Starts and stops servers on loopback addresses, and sends single requests to them."""

import http.client
import json
import os
import subprocess
import time

from options import PROGRAM, SECRET_KEY, Failure

_running = []


def environment(url):
    """The settings of a server on this database, without the caller's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARCELTRAIL")}
    return kept | {
        "DATABASE_URL": url,
        "PARCELTRAIL_BIND": "127.0.0.1:0",
        "PARCELTRAIL_METRICS_BIND": "off",
        "PARCELTRAIL_LOG": "warn",
        "PARCELTRAIL_RATE_LIMIT_PER_MINUTE": "0",
        "PARCELTRAIL_ADDRESS_RATE_LIMIT_PER_MINUTE": "0",
        "PARCELTRAIL_DRAIN_DELAY_MS": "0",
        "PARCELTRAIL_SECRET_KEY": SECRET_KEY,
    }


def run_program(url, *arguments):
    """Runs one command of the program and returns what it prints."""
    done = subprocess.run([PROGRAM, *arguments], env=environment(url), capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Failure(f"parceltrail {' '.join(arguments)} failed: {done.stdout}{done.stderr}")
    return done.stdout


class Server:
    """One running server."""

    def __init__(self, url, folder):
        folder.mkdir(parents=True, exist_ok=True)
        address, self.log = folder / "address", folder / "log"
        address.unlink(missing_ok=True)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve"], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=environment(url) | {"PARCELTRAIL_ADDRESS_FILE": str(address)})
        _running.append(self)
        deadline = time.monotonic() + 120
        while not (address.exists() and address.read_text().strip()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"the server does not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        self.address = address.read_text().strip()
        self.host, port = self.address.rsplit(":", 1)
        self.port = int(port)

    def request(self, method, path, key=None, body=None, kind="application/json", timeout=120):
        """Sends one request on a connection of its own; returns status and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        headers = {"Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None:
            headers["Content-Type"] = kind
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, method, path, key=None, body=None, kind="application/json"):
        """Like `request`, where only success is expected; returns the JSON of the answer."""
        status, text = self.request(method, path, key, body, kind)
        if not 200 <= status < 300:
            raise Failure(f"{method} {path} was answered {status}: {text[:500]!r}")
        return json.loads(text)

    def memory(self, what="VmRSS"):
        """In MiB."""
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(f"{what}:"):
                    return int(line.split()[1]) / 1024
        raise Failure(f"{what} is unknown")

    def stop(self):
        if self in _running:
            _running.remove(self)
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def stop_all():
    """Stops every server that still runs."""
    for server in list(_running):
        server.process.kill()
        server.process.wait()
    _running.clear()
