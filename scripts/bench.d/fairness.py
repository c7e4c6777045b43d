"""How much one seller who overloads the server slows the others down."""

import asyncio
import collections
import datetime
import itertools
import json
import multiprocessing
import sys
import threading
import time

import load
import targets
from options import SECONDS, SIZES
from server import Server

REPORTS, BATCHES, FILTERS, BATCH_ORDERS = 30, 30, 10, 500
REPORTS_AT_ONCE = 100
# No parcel of the sample goes there.
NO_MATCH = "/v1/shipments?destination_country=JP&verdict=lost"
# Each kind of probe waits so long between two requests, so that the probes are no load themselves.
PAUSE = 0.02
TIMEOUT = 120


def report_path():
    today = datetime.date.today()
    first, last = today - datetime.timedelta(days=200), today + datetime.timedelta(days=1)
    return f"/v1/reports/delays?from={first}&to={last}&group_by=carrier,destination_country"


class Counts:
    """Latencies and statuses of one kind of request."""

    def __init__(self):
        # Latencies in milliseconds.
        self.ms, self.statuses = [], collections.Counter()

    async def send(self, connection, method, path, body=b""):
        sent = time.monotonic()
        try:
            status = await connection.request(method, path, body, TIMEOUT)
        except asyncio.TimeoutError:
            status = "timeout"
        except (OSError, EOFError) as error:
            status = type(error).__name__
        self.ms.append((time.monotonic() - sent) * 1000)
        self.statuses[status] += 1
        return status

    def but(self, allowed):
        """The number of requests with any other status."""
        return sum(count for status, count in self.statuses.items() if status not in allowed)


async def _repeat(counts, connection, requests, until, pause):
    for method, path, body in requests:
        if time.monotonic() > until:
            break
        status = await counts.send(connection, method, path, body)
        # A client that is refused waits before it tries again.
        await asyncio.sleep(pause if isinstance(status, int) and status < 400 else max(pause, 0.2))
    connection.close()


def batch_bodies(mark, worker):
    """Batches of new orders. The text is made once; only the order numbers differ."""
    text = json.dumps({"orders": [targets.order_body(f"@MARK@-{i}") for i in range(BATCH_ORDERS)]})
    for turn in itertools.count():
        yield "POST", "/v1/orders/batch", text.replace("@MARK@", f"{mark}-{worker}-{turn}").encode()


async def _greedy(server, key, seconds, results):
    counts = {"reports": Counts(), "batches": Counts(), "filters": Counts()}
    until, mark = time.monotonic() + seconds, f"G-{time.time():.0f}"
    loops = []

    def start(kind, number, requests_of):
        for worker in range(number):
            connection = load.Connection(server, key)
            loops.append(_repeat(counts[kind], connection, requests_of(worker), until, 0))

    start("reports", REPORTS, lambda _: itertools.repeat(("GET", report_path(), b"")))
    start("batches", BATCHES, lambda worker: batch_bodies(mark, worker))
    start("filters", FILTERS, lambda _: itertools.repeat(("GET", NO_MATCH, b"")))
    await asyncio.gather(*loops)
    results.send({kind: (it.ms, it.statuses) for kind, it in counts.items()})


def _greedy_process(server, key, seconds, results):
    asyncio.run(_greedy(server, key, seconds, results))


class Address:
    """The address of a server, which another process can be given."""

    def __init__(self, server):
        self.host, self.port, self.address = server.host, server.port, server.address


async def _probe(server, sellers, picked, seconds):
    """Requests of other sellers, each kind on a connection of its own."""
    counts = {name: Counts() for name in ("GET /v1/shipments/{id}", "GET /track/{token}", "POST /v1/orders", "GET /readyz")}
    until, mark = time.monotonic() + seconds, f"P-{time.time():.0f}"
    one, other = sellers[1], sellers[2]
    requests = (
        (one["key"], (("GET", f"/v1/shipments/{it.shipment}", b"") for it in itertools.cycle(picked))),
        (None, (("GET", f"/track/{it.token}", b"") for it in itertools.cycle(picked))),
        (other["key"], (("POST", "/v1/orders", targets.order_text(f"{mark}-{i}")) for i in itertools.count())),
        (None, itertools.repeat(("GET", "/readyz", b""))),
    )
    await asyncio.gather(*(
        _repeat(it, load.Connection(server, key), wanted, until, PAUSE)
        for it, (key, wanted) in zip(counts.values(), requests)))
    return counts


class Memory:
    """The highest memory of a server while a block of work runs, in MiB."""

    def __init__(self, server):
        self.server, self.highest, self.ended = server, 0.0, threading.Event()

    def __enter__(self):
        self.before = self.server.memory()
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()
        return self

    def _sample(self):
        while not self.ended.wait(0.02):
            self.highest = max(self.highest, self.server.memory())

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


async def _reports_at_once(server, key):
    counts = Counts()
    connections = [load.Connection(server, key) for _ in range(REPORTS_AT_ONCE)]
    await asyncio.gather(*(counts.send(connection, "GET", report_path()) for connection in connections))
    return counts


def _summary(statuses):
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items(), key=str))


def _print_greedy(greedy):
    for kind, (ms, statuses) in greedy.items():
        summary = _summary(statuses)
        print(f"  the large seller's {kind:<8} p50 {load.percentile(ms, 50):>9.1f} ms   {summary}")


def _print_probes(idle, loaded):
    print(f"  {'others':<26}{'p50 idle':>10}{'p50':>10}{'p95':>10}{'longest':>10}{'p50 ratio':>11}{'requests':>10}"
          f"{'errors':>8}")
    for name, before in idle.items():
        after = loaded[name]
        p50s = load.percentile(before.ms, 50), load.percentile(after.ms, 50)
        errors = before.but((200, 201)) + after.but((200, 201))
        print(f"  {name:<26}{p50s[0]:>10.2f}{p50s[1]:>10.2f}{load.percentile(after.ms, 95):>10.1f}{max(after.ms):>10.1f}"
              f"{p50s[1] / max(p50s[0], 0.001):>11.2f}{len(after.ms):>10}{errors:>8}")
        for status, count in (before.statuses + after.statuses).items():
            if status not in (200, 201):
                print(f"    {count} x {status}")


def fairness(cache, kind):
    """On a copy of the last size, since it writes many orders."""
    sellers = cache.sellers()
    original = cache.get(kind, SIZES[-1])
    database = original.copy(f"fairness_{original.name}")
    server = Server(database.url, cache.folder / f"server-{kind}-fairness")
    try:
        targets.settle(database)
        picked = targets.pick(database, sellers[1], 200)
        seconds = SECONDS * 5
        asyncio.run(_probe(server, sellers, picked, 2))
        idle = asyncio.run(_probe(server, sellers, picked, seconds / 2))
        results, sender = multiprocessing.Pipe(duplex=False)
        greedy = multiprocessing.Process(
            target=_greedy_process, args=(Address(server), sellers[0]["key"], seconds + 2, sender), daemon=True)
        with Memory(server) as under_load:
            greedy.start()
            time.sleep(1)
            loaded = asyncio.run(_probe(server, sellers, picked, seconds))
            came = results.recv() if results.poll(TIMEOUT + seconds) else {}
        greedy.terminate()
        greedy.join()
        print(f"{kind}, {SIZES[-1]} parcels: {REPORTS} reports, {BATCHES} batches of {BATCH_ORDERS} orders and "
              f"{FILTERS} lists that match nothing in parallel, {seconds:g} s; ms")
        _print_greedy(came)
        _print_probes(idle, loaded)
        print(f"  memory {under_load.before:.0f} MiB before, {under_load.highest:.0f} MiB at its highest")
        with Memory(server) as memory:
            began = time.monotonic()
            counts = asyncio.run(_reports_at_once(Address(server), sellers[0]["key"]))
        print(f"  {REPORTS_AT_ONCE} reports at once: {_summary(counts.statuses)} in {time.monotonic() - began:.1f} s, memory "
              f"{memory.before:.0f} MiB before, {memory.highest:.0f} MiB at its highest, "
              f"{memory.highest - memory.before:.0f} MiB above")
        sys.stdout.flush()
    finally:
        server.stop()
        database.remove()
