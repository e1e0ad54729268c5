"""What the scripts beside this share: where the platform is, a valid order, and one request."""
import json
import sys
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

URL, KEY = sys.argv[1:3]
ROOT = Path(__file__).parents[3]


def order(event_id):
    return {
        "event_id": event_id,
        "order_id": "ord_abc123",
        "customer_id": "cus_1",
        "event_timestamp": datetime.now(timezone.utc).isoformat(),
        "status": "placed",
        "currency": "EUR",
        "amount": 20.5,
        "channel": "web",
        "items": [{"sku": "a", "name": "Apples", "quantity": 2, "unit_price": 10.25}],
    }


def post(path, body, headers):
    """The status and the JSON of the answer."""
    request = urllib.request.Request(URL + path, data=body, method="POST")
    # urllib would name a type of its own for a body that has none.
    request.add_unredirected_header("Authorization", f"Bearer {KEY}")
    for name, value in headers.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: expected {wanted}, got {got}")
    print(f"  {what}")
