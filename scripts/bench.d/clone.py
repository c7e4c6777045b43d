"""Clones the parcels of the sample into a database of any size.

Each clone has ids, order number, tracking number, e-mail address, telephone number and status token of its own, and times
of receipt near its own dates. What depends on those is made anew: sealed texts, hashes to find by, chains of events. All
other columns are copied, also of tables with an `order_id`, `shipment_id` or `tracker_id` that are added later.
"""

import base64
import datetime
import hashlib
import os
import random
import sqlite3
import uuid

import sample
from options import SECRET_KEY, Failure
from seal import Key

MINUTE = 60_000_000
# Clones of so many neighbouring orders are mixed, so that no stretch of rows is all alike.
WINDOW = 20
FLUSHED_AFTER = 2000
RECEIPT_COLUMNS = ("created_at", "updated_at", "changed_at", "found_at", "settled_at")


def uuid_at(micros):
    """A UUIDv7 of this moment."""
    bits = random.getrandbits(74)
    low = 0b10 << 62 | bits & (1 << 62) - 1
    return (micros // 1000 << 80 | 7 << 76 | bits >> 62 << 64 | low).to_bytes(16, "big")


def part(value):
    """A part of a digest of `domain::chain`: with its length, and an absent one marked."""
    return b"\0" if value is None else b"\1" + len(value).to_bytes(8, "big") + value


def text_part(value):
    return part(value if value is None else value.encode())


class Event:
    """What an event's key and hash are made of, apart from what differs between clones."""

    def __init__(self, carrier, row, heard_at):
        when = datetime.datetime.fromtimestamp(row["sort_at"] / 1_000_000, datetime.timezone.utc)
        self.key_head = part(carrier.encode())[1:]
        self.key_tail = b"".join(text_part(text)[1:] for text in (when.strftime("%Y-%m-%dT%H:%M:%SZ"), row["raw_code"], ""))
        self.tail = b"".join((
            text_part(row["occurred_local"]), text_part(row["occurred_offset"]),
            part(heard_at.to_bytes(8, "big", signed=True)), text_part(row["sub_status"]), text_part(row["raw_code"]),
            text_part(row["source"]), part(row["details_digest"])))

    def dedupe_key(self, number):
        """As `domain::scan` makes it of a scan that has no id of its own."""
        text = self.key_head + part(number.encode())[1:] + self.key_tail
        return "h:" + hashlib.sha256(text).hexdigest()[:32]

    def link(self, before, tracker, event, key):
        """The hash of an event in its chain, as `domain::chain` makes it."""
        head = part(before) + part(tracker) + part(event) + text_part(key)
        return hashlib.sha256(head + self.tail).digest()


def purpose_of_details(tracker, key):
    return b"event" + tracker + key.encode()


class Tables:
    """The tables of a seller, by what their rows belong to."""

    def __init__(self, connection):
        self.connection = connection
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        self.columns = {name: [it[1] for it in connection.execute(f"PRAGMA table_info({name})")] for name in names}
        self.by_owner = {"order_id": [], "shipment_id": [], "tracker_id": []}
        for name in names:
            if name.startswith("import") or name in ("orders", "shipments", "trackers"):
                continue
            for key in ("shipment_id", "tracker_id", "order_id"):
                if key in self.columns[name]:
                    self.by_owner[key].append(name)
                    break

    def rows(self, table, seller, key, value):
        found = self.connection.execute(f"SELECT * FROM {table} WHERE seller_id = ? AND {key} = ?", (seller, value))
        return [dict(zip(self.columns[table], row)) for row in found]


class Row:
    """A row of the sample, and where its clones differ from it."""

    def __init__(self, table, row, parcel):
        self.table, self.cells = table, list(row.values())
        self.at = {name: place for place, name in enumerate(row)}
        self.ids, self.texts, self.created, self.updated = [], [], [], []
        for place, (name, value) in enumerate(row.items()):
            if value in parcel.ids:
                self.ids.append((place, value))
            elif name in RECEIPT_COLUMNS and value is not None:
                (self.updated if name == "updated_at" else self.created).append(place)
            elif isinstance(value, str) and (parcel.order_number in value or parcel.number in value):
                self.texts.append(place)

    def clone(self, ids, texts, created_at, updated_at):
        cells = self.cells.copy()
        for place, old in self.ids:
            cells[place] = ids[old]
        for place in self.created:
            cells[place] = created_at
        for place in self.updated:
            cells[place] = updated_at
        for place in self.texts:
            for old, new in texts:
                cells[place] = cells[place].replace(old, new)
        return cells


class Parcel:
    """One order of the sample with all that belongs to it."""

    def __init__(self, tables, seller, order, changes, cloner):
        self.order_number, self.serial = order["order_number"], int(order["order_number"].removeprefix("A-"))
        ordered = datetime.datetime.fromisoformat(f"{order['ordered_local']}+00:00")
        self.ordered_at = int(ordered.timestamp()) * 1_000_000
        self.ids = {order["id"]}
        found = [("orders", order), *self._owned(tables, seller, "order_id", order["id"])]
        for shipment in tables.rows("shipments", seller, "order_id", order["id"]):
            self.ids.add(shipment["id"])
            self.number = shipment["tracking_number"]
            found += [("shipments", shipment), *self._owned(tables, seller, "shipment_id", shipment["id"])]
        for tracker in {row["tracker_id"] for table, row in found if table == "legs"}:
            [row] = tables.rows("trackers", seller, "id", tracker)
            self.ids.add(tracker)
            self.carrier = row["carrier"]
            found += [("trackers", row), *self._owned(tables, seller, "tracker_id", tracker)]
        # Events in the order of their chain, and what belongs to them after them.
        found.sort(key=lambda it: (it[0] in ("event_details", "event_withdrawals"), it[1].get("chain_no", 0)))
        self.last_at = max((row["sort_at"] for table, row in found if table == "tracking_events"), default=self.ordered_at)
        self._check([row for table, row in found if table == "tracking_events"])
        self.rows = [self._prepared(table, row, cloner) for table, row in found]
        self.changes = [Row("outbox", row, self) for id in self.ids for row in changes.get(id, ())]

    @staticmethod
    def _owned(tables, seller, key, value):
        return [(table, row) for table in tables.by_owner[key] for row in tables.rows(table, seller, key, value)]

    def _prepared(self, table, row, cloner):
        """Opens what is sealed, once for all clones."""
        if table == "order_contacts":
            row["sealed"] = cloner.vault.open(b"contact" + row["order_id"], row["sealed"])
        elif table == "event_details":
            row["sealed"] = cloner.vault.open(purpose_of_details(row["tracker_id"], row["dedupe_key"]), row["sealed"])
        elif table == "tracking_events":
            row["heard_at"] = min(row["heard_at"], row["sort_at"] + 5 * MINUTE)
        prepared = Row(table, row, self)
        prepared.event = Event(self.carrier, row, row["heard_at"]) if table == "tracking_events" else None
        return prepared

    def _check(self, events):
        """Fails if the program computes chains or keys in another way than this file."""
        before = None
        for row in events:
            event, key = Event(self.carrier, row, row["heard_at"]), row["dedupe_key"]
            same = event.dedupe_key(self.number) == key
            if not same or event.link(before, row["tracker_id"], row["id"], key) != row["chain_hash"]:
                raise Failure("event chains or keys no longer match: update scripts/bench.d/clone.py")
            before = row["chain_hash"]


class Cloner:
    """Makes clones of one seller's parcels, and gives rows to `write(table, rows)`."""

    def __init__(self, connection, seller, write):
        tables = Tables(connection)
        self.write, self.waiting, self.batch = write, {}, os.urandom(4)
        self.secrets = Key(base64.b64decode(SECRET_KEY))
        [(wrapped,)] = connection.execute("SELECT wrapped FROM seller_keys WHERE seller_id = ?", (seller,))
        self.vault = Key(self.secrets.open(b"seller key" + seller, wrapped))
        self.name = hashlib.sha256(seller).digest()[:8]
        [(self.seq,)] = connection.execute("SELECT max(seq) FROM outbox WHERE seller_id = ?", (seller,))
        changes = {}
        for row in tables.rows("outbox", seller, "seller_id", seller):
            changes.setdefault(row["subject_id"], []).append(row)
        orders = tables.rows("orders", seller, "seller_id", seller)
        parcels = [Parcel(tables, seller, order, changes, self) for order in orders]
        self.parcels = sorted(parcels, key=lambda parcel: parcel.ordered_at)

    def clone(self, count, first):
        """Makes `count` clones, oldest first, with serial numbers from `first`."""
        each, more = divmod(count, len(self.parcels))
        made = 0
        for start in range(0, len(self.parcels), WINDOW):
            window = self.parcels[start:start + WINDOW]
            begins, ends = window[0].ordered_at, window[-1].ordered_at + MINUTE
            clones = [each + (start + i < more) for i in range(len(window))]
            total, done = sum(clones), 0
            for turn in range(max(clones)):
                for parcel, wanted in zip(window, clones):
                    if turn < wanted:
                        self._clone(parcel, first + made, begins + (ends - begins) * done // total)
                        made, done = made + 1, done + 1
                if len(self.waiting.get("orders", ())) >= FLUSHED_AFTER:
                    self.flush()
        self.flush()

    def flush(self):
        """Writes the waiting rows and starts another batch of tokens."""
        for table, rows in self.waiting.items():
            self.write(table, rows)
        self.waiting, self.batch = {}, os.urandom(4)

    def _clone(self, parcel, serial, created_at):
        number = sample.postal_number(serial, parcel.number[-2:])
        texts = ((parcel.order_number, sample.order_number(serial)), (parcel.number, number))
        ids = {old: uuid_at(created_at) for old in parcel.ids}
        updated_at = max(created_at, parcel.last_at + 5 * MINUTE)
        chain, keys = {}, {}
        for row in parcel.rows:
            table, at = row.table, row.at
            cells = row.clone(ids, texts, created_at, updated_at)
            if table == "tracking_events":
                tracker, id, old_key = cells[at["tracker_id"]], uuid_at(created_at), cells[at["dedupe_key"]]
                key = keys[old_key] = row.event.dedupe_key(number)
                chain[tracker] = row.event.link(chain.get(tracker), tracker, id, key)
                cells[at["id"]], cells[at["dedupe_key"]], cells[at["chain_hash"]] = id, key, chain[tracker]
            elif table == "event_details":
                key = cells[at["dedupe_key"]] = keys[cells[at["dedupe_key"]]]
                purpose = purpose_of_details(cells[at["tracker_id"]], key)
                cells[at["sealed"]] = self.vault.seal(purpose, cells[at["sealed"]])
            elif table == "event_withdrawals":
                cells[at["id"]], cells[at["dedupe_key"]] = uuid_at(created_at), keys[cells[at["dedupe_key"]]]
            elif table == "orders":
                self._seal_token(at, cells)
            elif table == "order_contacts":
                self._seal_contact(at, cells, parcel.serial, serial)
            self._keep(table, cells)
        for row in parcel.changes:
            cells = row.clone(ids, texts, created_at, updated_at)
            self.seq += 1
            cells[row.at["seq"]], cells[row.at["id"]] = self.seq, uuid_at(created_at)
            self._keep("outbox", cells)

    def _keep(self, table, cells):
        self.waiting.setdefault(table, []).append(cells)

    def _seal_token(self, at, cells):
        token = base64.urlsafe_b64encode(self.name + self.batch + random.randbytes(16)).rstrip(b"=")
        cells[at["token_hash"]] = self.batch + hashlib.sha256(token).digest()[:16]
        cells[at["token_sealed"]] = self.secrets.seal(cells[at["id"]], token)

    def _seal_contact(self, at, cells, old, new):
        email, phone = sample.email(new).encode(), sample.phone(new).encode()
        text = cells[at["sealed"]]
        text = text.replace(sample.email(old).encode(), email).replace(sample.phone(old).encode(), phone)
        cells[at["sealed"]] = self.vault.seal(b"contact" + cells[at["order_id"]], text)
        cells[at["email_hash"]] = self.vault.find_by(b"email", email)
        digits = bytes(byte for byte in phone if 48 <= byte <= 57)
        cells[at["phone_hash"]] = self.vault.find_by(b"phone", digits[-9:])


def grow(path, sellers, size):
    """Fills a copy of the sample up to `size` parcels: nine tenths are the first seller's."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -1000000", "BEGIN"):
        connection.execute(statement)

    def write(table, rows):
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    first = 1 + sum(seller["samples"] for seller in sellers)
    for place, seller in enumerate(sellers):
        share = size * 9 // 10 if place == 0 else size // 10 // (len(sellers) - 1)
        count = max(share - seller["samples"], 0)
        Cloner(connection, uuid.UUID(seller["id"]).bytes, write).clone(count, first)
        first += count
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
