"""Random orders and parcels of a database, and the paths that lead to them."""

import base64
import datetime
import json
import time
from dataclasses import dataclass

from databases import note
from options import SECRET_KEY, Failure
from seal import Key

PICKED = 1000
# A status link answers 410 when 120 days have passed since the end.
OPEN_DAYS = 100


@dataclass
class Target:
    """One parcel of one order."""

    order_number: str
    token: str
    shipment: str
    tracking_number: str


def pick(database, seller, count=PICKED):
    """Random parcels of a seller with their status tokens."""
    binary = (lambda column: f"hex({column})") if database.kind == "sqlite" else (lambda column: f"encode({column}, 'hex')")
    own = "x'" + seller["id"].replace("-", "") + "'" if database.kind == "sqlite" else f"'{seller['id']}'"
    since = (datetime.date.today() - datetime.timedelta(days=OPEN_DAYS)).isoformat()
    found = database.query(
        f"SELECT id_text(o.id), {binary('o.token_sealed')}, o.order_number, id_text(s.id), s.tracking_number "
        f"FROM orders o JOIN shipments s ON s.seller_id = o.seller_id AND s.order_id = o.id "
        f"WHERE o.seller_id = {own} AND o.ordered_local > '{since}' ORDER BY random() LIMIT {count}")
    secrets, targets = Key(base64.b64decode(SECRET_KEY)), []
    for order, sealed, number, shipment, tracking_number in found:
        token = secrets.open(bytes.fromhex(order.replace("-", "")), bytes.fromhex(sealed)).decode()
        targets.append(Target(number, token, shipment.lower(), tracking_number))
    return targets


def reads(targets):
    """The reads that must not slow down as a database grows, by name."""
    return {
        "/healthz": ["/healthz"],
        "/track/{token}": [f"/track/{it.token}" for it in targets],
        "/v1/shipments/{id}": [f"/v1/shipments/{it.shipment}" for it in targets],
        "/v1/orders?order_number=": [f"/v1/orders?order_number={it.order_number}" for it in targets],
        "/v1/shipments?tracking_number=": [f"/v1/shipments?tracking_number={it.tracking_number}" for it in targets],
    }


def check(server, seller, targets):
    """Fails if a read answers anything but its order or parcel. An empty list would look fast."""
    for name, paths in reads(targets[:20]).items():
        for target, path in zip(targets, paths if len(paths) > 1 else []):
            status, body = server.request("GET", path, seller["key"])
            if status != 200 or target.order_number.encode() not in body:
                raise Failure(f"{name} was answered {status}: {body[:300]!r}")


def settle(database):
    """Waits until the server has judged the parcels that became due since the database was made."""
    now = str(int(time.time() * 1_000_000)) if database.kind == "sqlite" else "now()"
    deadline, noted = time.monotonic() + 900, False
    while time.monotonic() < deadline:
        [[due]] = database.query(f"SELECT count(*) FROM standings WHERE reconsider_at <= {now}")
        if int(due) == 0:
            return
        if not noted:
            note(f"waiting for {due} parcels to be judged")
            noted = True
        time.sleep(1)


def order_body(number, lines=1):
    """An order as a shop sends it."""
    items = [{"sku": f"SKU-{line:05d}", "item_name": f"Item number {line}", "quantity": 1, "unit_price_minor": 1999}
             for line in range(lines)]
    return {"order_number": number, "ordered_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "currency": "EUR",
            "recipient": {"name": "Pat Example", "address1": "1 Main Street", "city": "Berlin", "email": "pat@example.com"},
            "ship_to": {"country": "DE", "postal_code": "10115"}, "lines": items}


def order_text(number):
    return json.dumps(order_body(number)).encode()
