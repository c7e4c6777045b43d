"""Throughput of single reads by size of the database, and of status links beside /healthz."""

import statistics
import sys
import threading
import time

import load
import targets
from options import CONNECTIONS, ROUNDS, SECONDS, SIZES
from server import Server


class LightWrites:
    """A few scans and orders a second, to the server that is measured at the time."""

    def __init__(self, key, run):
        self.key, self.run, self.server, self.picked = key, run, None, []
        self.ended, self.sent, self.failed = threading.Event(), 0, 0
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def point_at(self, server, picked):
        self.server, self.picked = server, picked

    def _loop(self):
        while not self.ended.wait(0.25):
            server, picked = self.server, self.picked
            if server is None:
                continue
            self.sent += 1
            if self.sent % 2:
                path, body = "/v1/orders", targets.order_body(f"W-{self.run}-{self.sent}")
            else:
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                five = [picked[(self.sent * 5 + i) % len(picked)].tracking_number for i in range(5)]
                path, body = "/v1/scans/batch", {"scans": [
                    {"tracking_number": number, "occurred_at": at, "sub_status": "in_transit.moving"} for number in five]}
            try:
                status, _ = server.request("POST", path, self.key, body, timeout=30)
            except OSError:
                status = 0
            self.failed += not 200 <= status < 300

    def stop(self):
        self.ended.set()
        self.thread.join(60)


def measure(cache, kind, sizes, names):
    """Measures in interleaved rounds. Returns a list of results for each size and name of a read."""
    seller = cache.sellers()[0]
    databases = {size: cache.get(kind, size) for size in sizes}
    servers, picked, paths = {}, {}, {}
    for size, database in databases.items():
        servers[size] = Server(database.url, cache.folder / f"server-{kind}-{size}")
        targets.settle(database)
        picked[size] = targets.pick(database, seller)
        targets.check(servers[size], seller, picked[size])
        paths[size] = {name: found for name, found in targets.reads(picked[size]).items() if name in names}
    writes = LightWrites(seller["key"], f"{time.time():.0f}")
    results = {(size, name): [] for size in sizes for name in names}
    try:
        for number in range(ROUNDS + 1):
            for name in names:
                for size in sizes:
                    writes.point_at(servers[size], picked[size])
                    # The first round only warms up.
                    seconds = SECONDS if number else min(SECONDS, 2)
                    result = load.run(servers[size], seller["key"], paths[size][name], seconds)
                    if number:
                        results[size, name].append(result)
    finally:
        writes.stop()
        for server in servers.values():
            server.stop()
    print(f"{kind}: {CONNECTIONS} connections, median of {ROUNDS} rounds of {SECONDS:g} s, "
          f"{writes.sent} light writes beside, {writes.failed} of them failed")
    return results


def rate(results, size, name):
    return statistics.median(result.rate for result in results[size, name])


def ratio(one, other):
    """Not a number where the other was never answered."""
    return one / other if other else float("nan")


def failed(results, name):
    return sum(result.failed for (_, read), rounds in results.items() if read == name for result in rounds)


def growth(cache, kind):
    """All reads over all sizes."""
    names = list(targets.reads([]))
    results = measure(cache, kind, SIZES, names)
    first, last = SIZES[0], SIZES[-1]
    heads = "".join(f"{f'{size} parcels':>18}" for size in SIZES)
    print(f"{'requests/s':<34}{heads}{f'{last}/{first}':>16}{'to /healthz':>14}{'failed':>8}")
    for name in names:
        rates = "".join(f"{rate(results, size, name):>18.0f}" for size in SIZES)
        grown = ratio(rate(results, last, name), rate(results, first, name))
        beside = ratio(rate(results, last, name), rate(results, last, "/healthz"))
        print(f"{name:<34}{rates}{grown:>16.2f}{beside:>14.2f}{failed(results, name):>8}")
    sys.stdout.flush()


def status(cache, kind):
    """Status links beside /healthz, at the last size."""
    size, names = SIZES[-1], ["/healthz", "/track/{token}"]
    results = measure(cache, kind, [size], names)
    print(f"{f'{size} parcels':<34}{'requests/s':>12}{'p50 ms':>10}{'p95 ms':>10}{'to /healthz':>14}{'failed':>8}")
    for name in names:
        p50, p95 = (statistics.median(getattr(it, of) for it in results[size, name]) for of in ("p50", "p95"))
        beside = ratio(rate(results, size, name), rate(results, size, "/healthz"))
        print(f"{name:<34}{rate(results, size, name):>12.0f}{p50:>10.2f}{p95:>10.2f}{beside:>14.2f}"
              f"{failed(results, name):>8}")
    sys.stdout.flush()
