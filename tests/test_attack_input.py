import inspect
import json
import os
import re
from urllib.parse import quote_from_bytes

from odoo.tests import tagged

from .common_attack import SCRIPT, AttackCommon
from .test_portal_foreign import ROUTES

#: Numbers that are none, too large, or of another alphabet.
NUMBERS = (
    "0",
    "-1",
    str(2**31),
    str(2**63),
    str(10**30),
    # More digits than Python reads.
    "9" * 4301,
    "1.5",
    "1e400",
    "nan",
    "²",
    "٣",
    "0x10",
    "True",
)
DAYS = (
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-13-01",
    "2026-1-1",
    "2026-01-01T",
)
#: Texts that some layer or other could stumble over, as they are sent: no UTF-8, half a
#: surrogate pair, nothing but a NUL, controls, what is no character.
TEXTS = (
    b"",
    b" ",
    b"\x00",
    "a\x00b\x1bc\ufffed".encode(),
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u202egnp.exe".encode(),
    SCRIPT.encode(),
    b"%s%(x)s{0}{{7*7}}${x}",
    b"' OR 1=1; --",
    b"../../etc/passwd",
    b"{}",
    b"[]",
)
VALUES = (*(value.encode() for value in NUMBERS + DAYS), *TEXTS)
#: One of each kind: all of them with `PAID_SUPPORT_ATTACK=1`, some minutes.
SOME = (b"-1", str(10**30).encode(), "²".encode(), b"2026-02-30", *TEXTS[3:5], TEXTS[7])
if not os.environ.get("PAID_SUPPORT_ATTACK"):
    VALUES = SOME
#: What the pages take besides the parameters that their methods name.
MORE = (
    *("order_id", "tx_id", "done", "ticket", "group", "since", "until", "search"),
    *("incident_balance", "incident_funds"),
)
#: Where the answer is that of others: of the payment page, of the login.
ANSWERS = {200, 302, 303, 400, 404, 405, 413, 414, 422}


@tagged("post_install", "-at_install")
class TestAttackInput(AttackCommon):
    """R11.6: whatever a client sends, the server answers, with no fault in its log, and
    the customer has what it had."""

    def setUp(self):
        super().setUp()
        self.act_as("own")
        self.csrf = self.token()

    def addresses(self, path):
        ids = {
            "subscription_id": self.sub.id,
            "order_id": self.waiting.id,
            "ticket_id": self.parked.id,
            "proposal_id": self.proposal.id,
            "page": 1,
        }
        return re.sub(r"<int:(\w+)>", lambda match: str(ids[match[1]]), path)

    def names(self, path, endpoints):
        """Return the parameters that an address takes."""
        names = set(MORE) | set(ROUTES[path] or {})
        for endpoint in endpoints:
            for cls in type(endpoint.func.__self__).mro():
                method = cls.__dict__.get(endpoint.__name__)
                if method:
                    method = getattr(method, "original_endpoint", method)
                    names |= set(inspect.signature(method).parameters)
        return sorted(names - {"self", "kw", "args", "ignored"})

    def check(self, response):
        self.assertIn(response.status_code, ANSWERS)
        if "text/csv" not in response.headers["Content-Type"]:
            self.assertNotIn(SCRIPT, response.text)

    def http_routes(self):
        for path, endpoints in sorted(self.own_routes().items()):
            if endpoints[0].routing["type"] == "http":
                yield path, endpoints, self.names(path, endpoints)

    # -- parameters ----------------------------------------------------------------

    def test_get(self):
        """Each value, in all parameters at once."""
        for path, endpoints, names in self.http_routes():
            if "GET" not in self.methods(endpoints):
                continue
            for value in VALUES:
                with self.subTest(path=path, value=value[:40]), self.assertNoFault():
                    quoted = quote_from_bytes(value)
                    # No server takes longer addresses.
                    least = names[: 60_000 // (len(quoted) + 20)]
                    query = "&".join(f"{name}={quoted}" for name in least)
                    self.check(self.send(f"{self.addresses(path)}?{query}"))
        self.assertUntouched()

    def methods(self, endpoints):
        return {
            method
            for endpoint in endpoints
            for method in endpoint.routing["methods"] or ("GET", "POST")
        }

    def send(self, address, **options):
        return self.url_open(address, allow_redirects=False, timeout=60, **options)

    def test_post(self):
        """The same in forms."""
        for path, _endpoints, names in self.http_routes():
            if not ROUTES[path]:
                continue
            for value in VALUES:
                with (
                    self.subTest(path=path, value=value[:40]),
                    self.undone(),
                    self.assertNoFault(),
                ):
                    form = {**dict.fromkeys(names, value), "csrf_token": self.csrf}
                    self.check(self.send(self.addresses(path), data=form))

    def test_shapes(self):
        """Several values, arrays, files in the place of texts, nothing at all, and a
        megabyte."""
        file = ("a\x00b.txt", b"x", "text/plain")
        for path, _endpoints, names in self.http_routes():
            if not ROUTES[path]:
                continue
            shapes = {
                "nothing": {"data": {}},
                "twice": {"data": [(name, "1") for name in names * 2]},
                "array": {"data": [(f"{name}[]", "1") for name in names]},
                "files": {"files": [(name, file) for name in [*names, "attachment"]]},
                "many": {"data": [(f"x{i}", "1") for i in range(2000)]},
                "long": {"data": {name: "x" * 1_000_000 for name in names[:1]}},
                "long texts": {
                    "data": {"subject": "x" * 1_000_000, "description": "y" * 1_000_000}
                },
                "file names": {
                    "data": {"subject": "x", "description": "y", "attachment": "z"},
                    "files": [("attachment", file)] * 2,
                },
                "broken": {
                    "data": b'--x\r\nContent-Disposition: form-data; name="plan',
                    "headers": {"Content-Type": "multipart/form-data; boundary=x"},
                },
            }
            for shape, options in shapes.items():
                with (
                    self.subTest(path=path, shape=shape),
                    self.undone(),
                    self.assertNoFault(),
                ):
                    if isinstance(data := options.get("data", {}), dict):
                        options["data"] = {**data, "csrf_token": self.csrf}
                    elif isinstance(data, list):
                        options["data"] = [*data, ("csrf_token", self.csrf)]
                    self.check(self.send(self.addresses(path), **options))

    def test_ids_in_addresses(self):
        """Ids that no record can have."""
        for path, endpoints, _names in self.http_routes():
            if "<int:" not in path:
                continue
            for value in (0, 2**31 - 1, 2**31, 2**63, 10**30, "-1"):
                address = re.sub("<int:[^>]+>", str(value), path)
                with (
                    self.subTest(path=path, value=value),
                    self.undone(),
                    self.assertNoFault(),
                ):
                    if "GET" in self.methods(endpoints):
                        self.check(self.send(address))
                    if "POST" in self.methods(endpoints):
                        form = {"csrf_token": self.csrf, "plan": self.months.id}
                        self.check(self.send(address, data=form))

    # -- JSON ----------------------------------------------------------------------

    def test_json(self):
        """Bodies of wrong types, for the address that answers JSON-RPC."""
        [path] = [
            path
            for path, endpoints in self.own_routes().items()
            if endpoints[0].routing["type"] == "jsonrpc"
        ]
        address = self.addresses(path)
        strange = (None, True, [], {}, "", "\x00", "\ud800", -1, 10**300, 1.5, [[1]])
        for value in (*strange, *NUMBERS):
            for params in (
                {"page": value, "number": "1"},
                {"page": "extra", "number": value},
                {"page": "renew", "number": value},
            ):
                with self.subTest(params=params), self.assertNoFault():
                    body = json.dumps({"jsonrpc": "2.0", "params": params})
                    response = self.send(
                        address,
                        data=body,
                        headers={"Content-Type": "application/json"},
                    )
                    self.assertEqual(response.status_code, 200)
                    self.assertNotIn("error", response.json())
        self.assertUntouched()
