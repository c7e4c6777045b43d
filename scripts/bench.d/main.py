"""The parts of scripts/bench that read from large databases: status, lists, growth, fairness."""

import signal
import sys

import postgres
import server
from databases import Cache
from fairness import fairness
from growth import growth, status
from lists import lists
from options import DATABASES, Failure

COMMANDS = {"status": status, "lists": lists, "growth": growth, "fairness": fairness}


def stop(*_):
    raise SystemExit(130)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        cache = Cache()
        for kind in DATABASES:
            COMMANDS[sys.argv[1]](cache, kind)
    except Failure as failure:
        raise SystemExit(f"bench: {failure}") from None
    finally:
        server.stop_all()
        postgres.stop_all()


main()
