"""Latency of lists and of their filters, one request after the other, by size."""

import http.client
import sys
import time

import load
import targets
from databases import note
from options import ROUNDS, SECONDS, SIZES
from server import Server

LISTS = (
    "/v1/orders?limit=200",
    "/v1/shipments?limit=200",
    "/v1/shipments?limit=200&open=true",
    "/v1/shipments?limit=200&open=false",
    "/v1/shipments?limit=200&verdict=on_time",
    "/v1/shipments?limit=200&verdict=stalled",
    "/v1/shipments?limit=200&verdict=lost",
    "/v1/shipments?limit=200&milestone=delivered",
    "/v1/shipments?limit=200&milestone=out_for_delivery",
    "/v1/shipments?limit=200&carrier=usps",
    "/v1/shipments?limit=200&destination_country=PL",
    "/v1/shipments?limit=200&destination_country=PL&verdict=lost",
    "/v1/shipments?limit=200&destination_country=JP",
    "/v1/shipments?limit=200&destination_country=JP&verdict=lost",
)
TIMEOUT = 120
MOST = 500
# What took longer once is not sent again.
SLOW_MS = 10_000


def measure(server, key, path, seconds, results):
    """Requests one after the other for so long, one at least; appends milliseconds."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT)
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    until = time.monotonic() + seconds
    try:
        for _ in range(MOST):
            sent = time.monotonic()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            results["ms"].append((time.monotonic() - sent) * 1000)
            results["failed"] += answer.status != 200
            if time.monotonic() > until:
                break
    except OSError:
        results["failed"] += 1
        results["ms"].append(TIMEOUT * 1000)
    finally:
        connection.close()


def lists(cache, kind):
    seller = cache.sellers()[0]
    servers = {}
    for size in SIZES:
        database = cache.get(kind, size)
        servers[size] = Server(database.url, cache.folder / f"server-{kind}-{size}")
        targets.settle(database)
    results = {(path, size): {"ms": [], "failed": 0} for path in LISTS for size in SIZES}
    try:
        for number in range(ROUNDS):
            note(f"{kind}: round {number + 1} of {ROUNDS}")
            for path in LISTS:
                for size in SIZES:
                    if max(results[path, size]["ms"], default=0) > SLOW_MS:
                        continue
                    measure(servers[size], seller["key"], path, min(SECONDS, 1), results[path, size])
    finally:
        for server in servers.values():
            server.stop()
    print(f"{kind}: one request after the other, {ROUNDS} rounds; p50 / p95 in ms")
    print(f"{'':<62}" + "".join(f"{f'{size} parcels':>22}" for size in SIZES) + f"{'failed':>8}")
    for path in LISTS:
        cells = "".join(f"{load.percentile(results[path, size]['ms'], 50):>12.1f} /"
                        f"{load.percentile(results[path, size]['ms'], 95):>8.1f}" for size in SIZES)
        print(f"{path:<62}{cells}{sum(results[path, size]['failed'] for size in SIZES):>8}")
    sys.stdout.flush()
