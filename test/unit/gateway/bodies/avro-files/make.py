"""Makes the Avro container files beside this script: what Python's two writers really write, for avro-files.test.ts.

    python3 -m venv /tmp/avro && /tmp/avro/bin/pip install fastavro avro backports.zstd cramjam python-snappy zstandard
    /tmp/avro/bin/python test/unit/gateway/bodies/avro-files/make.py

Each file holds the same three orders of schemas/orders/v1.avsc, in two blocks where the writer can be told so.
"""
import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import avro.datafile
import avro.io
import avro.schema
import fastavro

HERE = Path(__file__).parent
ROOT = HERE.parents[4]
SCHEMA = json.loads((ROOT / "schemas/orders/v1.avsc").read_text())


def order(number):
    event = {field["name"]: None for field in SCHEMA["fields"]}
    return {
        **event,
        "event_id": f"py-{number}",
        "order_id": "ord_abc123",
        "customer_id": "cus_1",
        "event_timestamp": datetime(2026, 11, 21, 11, 59, tzinfo=timezone.utc),
        "status": "placed",
        "currency": "EUR",
        "amount": Decimal("25.50"),
        "channel": "web",
        "items": [
            {"sku": "a", "name": "Apples", "quantity": 2, "unit_price": Decimal("10.25")},
            {"sku": "b", "name": "Bread", "quantity": 1, "unit_price": Decimal("5.00")},
        ],
    }


ORDERS = [order(number) for number in range(3)]

for codec in ["null", "deflate", "snappy", "zstandard", "bzip2"]:
    with open(HERE / f"fastavro-{codec}.avro", "wb") as file:
        fastavro.writer(file, fastavro.parse_schema(SCHEMA), ORDERS, codec, sync_interval=150)

for codec in ["deflate", "snappy", "zstandard"]:
    with open(HERE / f"avro-{codec}.avro", "wb") as file:
        schema = avro.schema.parse(json.dumps(SCHEMA))
        writer = avro.datafile.DataFileWriter(file, avro.io.DatumWriter(), schema, codec=codec)
        for event in ORDERS[:2]:
            writer.append(event)
        writer.sync()
        writer.append(ORDERS[2])
        writer.close()
