"""Bodies as Python's libraries write them."""
import http.client
import io
import json
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlparse

import avro.datafile
import avro.io
import avro.schema
import fastavro
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from events import KEY, ROOT, URL, expect, order, post

EVENTS = "/v1/topics/orders/events"
SCHEMA = json.loads((ROOT / "schemas/orders/v1.avsc").read_text())


def as_avro(event_id):
    event = {**{field["name"]: None for field in SCHEMA["fields"]}, **order(event_id)}
    event["event_timestamp"] = datetime.fromisoformat(event["event_timestamp"])
    event["amount"] = Decimal("20.50")
    event["items"] = [{**item, "unit_price": Decimal("10.25")} for item in event["items"]]
    return event


def accepted(what, body, headers):
    status, answer = post(EVENTS, body, headers)
    expect(what, (status, answer.get("accepted"), answer.get("detail") or answer.get("results")), (202, 1, []))


for codec in ["null", "deflate", "snappy", "zstandard"]:
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(SCHEMA), [as_avro(f"fastavro-{codec}")], codec)
    accepted(f"fastavro, {codec}", file.getvalue(), {"Content-Type": "application/avro"})
    file = io.BytesIO()
    writer = avro.datafile.DataFileWriter(file, avro.io.DatumWriter(), avro.schema.parse(json.dumps(SCHEMA)), codec=codec)
    writer.append(as_avro(f"avro-{codec}"))
    writer.flush()
    accepted(f"avro, {codec}", file.getvalue(), {"Content-Type": "application/avro"})

TYPES = {"typed": "application/json", "untyped": None, "+json": "application/vnd.shop+json"}
for name, content_type in TYPES.items():
    attributes = {"type": "order.placed", "source": "/shop", "id": f"ce-{name}", "subject": "Café № 1"}
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    event = CloudEvent(attributes, order(f"ce-{name}"))
    message = to_structured_event(event)
    accepted(f"CloudEvent, structured, {name}", message.body, message.headers)
    message = to_binary_event(event)
    # http.client names no type of its own, as urllib does.
    connection = http.client.HTTPConnection(urlparse(URL).netloc)
    connection.request("POST", EVENTS, message.body, {**message.headers, "Authorization": f"Bearer {KEY}"})
    expect(f"CloudEvent, binary, {name}", connection.getresponse().status, 202)
