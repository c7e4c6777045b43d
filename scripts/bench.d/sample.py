"""Makes a small database through the API, so that the program itself writes all of its rows."""

import csv
import datetime
import io
import json
import time

from options import Failure
from server import Server, run_program

DAYS = 180
COUNTRIES = (("US", "Springfield"), ("DE", "Berlin"), ("GB", "London"), ("FR", "Paris"), ("CA", "Toronto"),
             ("NL", "Utrecht"), ("ES", "Madrid"), ("IT", "Milano"), ("AT", "Wien"), ("PL", "Warszawa"))
# Carriers whose numbers are postal ones (UPU S10), with the country at their end.
CARRIERS = (("China Post", "CN"), ("Royal Mail", "GB"), ("USPS", "US"), ("Deutsche Post", "DE"))
# Most parcels belong to the first seller.
SELLERS = (("Large", 2000), ("Small 1", 100), ("Small 2", 100), ("Small 3", 100), ("Small 4", 100), ("Small 5", 100))
COLUMNS = ("order_number,order_date,sku,item_name,quantity,unit_price,currency,recipient_name,address1,city,region,"
           "postal_code,country,email,phone,shipping_method,deliver_by,weight_g,tracking_number,carrier,shipped_at")


def postal_number(serial, country):
    """A postal number (UPU S10) with its check digit."""
    digits = f"{serial % 100_000_000:08d}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7))) % 11
    check = {10: 0, 11: 5}.get(check, check)
    return f"R{chr(65 + serial // 100_000_000)}{digits}{check}{country}"


def email(serial):
    return f"p{serial:08d}@example.com"


def phone(serial):
    return f"+1 555 {serial:08d}"


def order_number(serial):
    return f"A-{serial:08d}"


def ordered_at(now, i, count):
    day = now - datetime.timedelta(days=DAYS * (count - i) / count)
    return day.replace(minute=15, second=0, microsecond=0)


def rows(now, first, count):
    """Rows of a combined sheet; every fourth order has two lines."""
    for i in range(count):
        serial, (country, city) = first + i, COUNTRIES[i % len(COUNTRIES)]
        carrier, suffix = CARRIERS[i // 7 % len(CARRIERS)]
        ordered = ordered_at(now, i, count)
        shipped = min(ordered + datetime.timedelta(days=1), now)
        due = ordered.date() + datetime.timedelta(days=10)
        for line in range(2 if i % 4 == 0 else 1):
            yield [order_number(serial), ordered.strftime("%Y-%m-%dT%H:%M:%SZ"), f"SKU-{i % 500 + line:05d}",
                   f"Item number {i % 500 + line}", i % 3 + 1, f"{10 + i % 90}.{i % 100:02d}", "EUR",
                   f"Person {i} Example", f"{i % 999} Main Street", city, "", f"{10000 + i * 37 % 80000}", country,
                   email(serial), phone(serial), ("Standard", "Express", "Economy")[i % 3], due.isoformat(),
                   100 + i % 900, postal_number(serial, suffix), carrier, shipped.strftime("%Y-%m-%dT%H:%M:%SZ")]


def journey(i):
    """Scans of the parcel by days after its order. Of twenty, three come late, one goes back, one is lost, one stands
    still on the way, one is held, and one is never scanned."""
    start = [(1.3, "in_transit.accepted"), (2.2, "in_transit.departed_origin_country")]
    middle = [(4.1, "in_transit.arrived_destination_country"), (5.0, "in_transit.facility_scan")]
    kind = i * 7 % 20
    if kind < 12:
        return start + middle + [(6.3, "out_for_delivery.on_vehicle"), (6.5 + i % 3, "delivered.to_recipient")]
    if kind < 15:
        return start + [(11.0, "in_transit.facility_scan"), (13.5 + i % 6, "delivered.to_recipient")]
    return [start + [(7.0, "failed_attempt.recipient_unavailable"), (9.0, "returned.returning")],
            start + middle + [(20.0, "exception.lost")], start + middle,
            start + [(3.5, "exception.customs_hold")], []][kind - 15]


def scans(now, first, count):
    for i in range(count):
        suffix, place = CARRIERS[i // 7 % len(CARRIERS)][1], COUNTRIES[i % len(COUNTRIES)][1]
        for days, sub_status in journey(i):
            at = ordered_at(now, i, count) + datetime.timedelta(days=days)
            if at < now - datetime.timedelta(hours=1):
                yield {"tracking_number": postal_number(first + i, suffix), "carrier": CARRIERS[i // 7 % 4][0],
                       "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "sub_status": sub_status, "place": place}


def import_sheet(server, key, sheet):
    path = "/v1/imports?kind=combined"
    accepted = server.json("POST", path, key, sheet, "text/csv")
    deadline = time.monotonic() + 300
    while True:
        state = server.json("GET", f"/v1/imports/{accepted['id']}", key)
        if state["state"] not in ("received", "running"):
            break
        if time.monotonic() > deadline:
            raise Failure("the import of the sample does not end")
        time.sleep(0.1)
    if state["state"] != "completed" or state["rows_rejected"]:
        raise Failure(f"the import of the sample ended as {state}")


def put_scans(server, key, all_scans):
    for at in range(0, len(all_scans), 500):
        answer = server.json("POST", "/v1/scans/batch", key, {"scans": all_scans[at:at + 500]})
        if answer["summary"]["failed"]:
            raise Failure(f"scans of the sample were refused: {answer['summary']}")


def make(path, facts):
    """Makes the database, and writes its sellers with their keys to the file `facts`."""
    url, now = f"sqlite:{path}", datetime.datetime.now(datetime.timezone.utc)
    sellers = []
    for name, count in SELLERS:
        made = json.loads(run_program(url, "seller", "create", "--name", name, "--time-zone", "UTC"))
        sellers.append({"name": name, "id": made["seller_id"], "key": made["api_key"], "samples": count})
    server, first = Server(url, path.parent / "sample-server"), 1
    try:
        for seller in sellers:
            count = seller["samples"]
            sheet = io.StringIO()
            sheet.write(COLUMNS + "\n")
            csv.writer(sheet).writerows(rows(now, first, count))
            import_sheet(server, seller["key"], sheet.getvalue())
            put_scans(server, seller["key"], list(scans(now, first, count)))
            first += count
    finally:
        server.stop()
    facts.write_text(json.dumps(sellers, indent=1))
