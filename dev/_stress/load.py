"""Everybody who moves the incidents of one customer, at once, and what each was told.

An answer is one of

- *done*: it must be in the ledger, once;
- *refused*: a clean answer that says why; nothing may be written;
- *conflict*: Odoo has given up after its own five tries; nothing may be written;
- *lost*: none came, or that something broke; it is in the ledger once, or not at all.
"""

import random
import re
import threading
import time
from collections import Counter
from itertools import count
from urllib.parse import parse_qs, urlsplit

import requests
from _server import Customer, token

from .world import MONTH, OPENING, PACK, PRICE

SHORTAGE = "Not enough support incidents"
#: What Odoo answers over RPC when it has given up.
CONFLICTS = (
    "psycopg2.errors.SerializationFailure",
    "psycopg2.errors.LockNotAvailable",
    "psycopg2.errors.DeadlockDetected",
    "odoo.exceptions.ConcurrencyError",
)
REFUSALS = (
    "odoo.exceptions.UserError",
    "odoo.exceptions.ValidationError",
    "odoo.addons.helpdesk_paid_support.models.ledger.errors.NotEnoughIncidents",
)


class Answers:
    """What everybody was told, and so what the ledger may say.

    :ivar possible: the numbers that a token may have moved: one, unless an answer was
        lost.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.possible = {"opening": {OPENING}}
        self.counts = Counter()
        self.reasons = Counter()
        self.waits = []

    def add(self, kind, answer, name=None, quantity=0, before=None, reason=""):
        """Note an answer.

        :param str name: the token.
        :param int quantity: what the token has moved in all, if it is done.
        :param before: what it has moved, if it is not; by default what it had.
        """
        with self.lock:
            self.counts[kind, answer] += 1
            if answer in ("refused", "lost", "conflict"):
                self.reasons[kind, answer, reason] += 1
            if name is None:
                return
            had = self.possible.get(name, {0}) if before is None else before
            self.possible[name] = {
                "done": {quantity},
                "lost": had | {quantity},
            }.get(answer, had)

    def total(self, answer=None):
        return sum(
            number
            for (_kind, told), number in self.counts.items()
            if answer in (None, told)
        )

    def differences(self, written):
        """Return where the ledger says something else than everybody was told."""
        found = []
        for name in sorted(set(written) | set(self.possible)):
            moved = written.get(name, 0)
            allowed = self.possible.get(name, {0})
            if moved not in allowed:
                found.append(f"{name}: {moved} in the ledger, told {sorted(allowed)}")
        return found

    def settle(self, written):
        """Take what the ledger says for what was done, where an answer was lost."""
        for name, allowed in self.possible.items():
            if len(allowed) > 1 and not name.startswith("shared"):
                self.possible[name] = {written.get(name, 0)}


class Refused(Exception):
    """A clean answer that says why not."""


class Conflict(Exception):
    """Odoo has given up."""


class Lost(Exception):
    """No answer, or that something broke."""


class Client(Customer):
    """Somebody who is logged in, and does something again and again."""

    kind = ""
    login = ""
    #: Whether they send forms.
    form = False

    def __init__(self, load, number):
        self.load, self.world, self.answers = load, load.world, load.answers
        self.number = number
        self.numbers = count(1)
        self.random = random.Random(f"{load.seed} {self.kind} {number}")
        super().__init__(load.server, f"stress-{self.login}")
        self.csrf_token = token(self.get("/new/ticket")) if self.form else None

    def run(self):
        while self.load.may_go_on():
            start = time.monotonic()
            self.once()
            self.answers.waits.append(time.monotonic() - start)

    def once(self):
        raise NotImplementedError

    def name(self):
        return f"{self.kind} {self.number}.{next(self.numbers)}"

    def ask(self, function, *args, name=None, quantity=0, before=None):
        """Ask for something, and note the answer.

        :return: what was answered, None if it is not done.
        """
        answer, result, reason = "done", None, ""
        try:
            result = function(*args)
        except Refused as refused:
            answer, reason = "refused", str(refused)
        except Conflict as conflict:
            answer, reason = "conflict", str(conflict)
        except (Lost, requests.RequestException) as lost:
            answer, reason = "lost", str(lost)[:150]
        self.answers.add(self.kind, answer, name, quantity, before, reason)
        if answer == "lost":
            # Whatever it was, hurry makes it no better.
            time.sleep(0.2)
        return result

    def call(self, model, method, *args, **kwargs):
        """Call a method over JSON-RPC."""
        return self.rpc(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs=kwargs,
        )

    def rpc(self, path, **params):
        """Call a route over JSON-RPC."""
        answer = self.session.post(
            self.server.url + path,
            json={"jsonrpc": "2.0", "method": "call", "params": params},
            timeout=180,
        )
        if answer.status_code != 200:
            raise Lost(f"{answer.status_code} {answer.text[:80]}")
        answer = answer.json()
        if "error" in answer:
            data = answer["error"]["data"]
            text = f"{data['name']}: {data['message']}".strip().splitlines()[0]
            if data["name"] in CONFLICTS:
                raise Conflict(data["name"])
            if data["name"] in REFUSALS:
                raise Refused(re.sub(r"\d+", "n", data["message"])[:100])
            raise Lost(text)
        return answer.get("result", True)

    def send(self, path, values):
        """Send a form.

        :return: the answer; it redirects, or shows the form again.
        """
        answer = self.post(path, {"csrf_token": self.csrf_token, **values})
        if answer.status_code >= 400:
            raise Lost(f"{path}: {answer.status_code}")
        return answer


class Submitter(Client):
    """Submits tickets by the form of the portal (R4.4)."""

    kind, login, form = "submit", "contact", True

    def once(self):
        name = self.name()
        self.ask(self._submit, name, name=name, quantity=-1)

    def _submit(self, name):
        answer = self.send(
            "/submitted/ticket",
            {
                "team": str(self.world.team_id),
                "subject": name,
                "description": "Please help",
            },
        )
        if re.search(r"/my/ticket/\d+", answer.headers.get("Location", "")):
            return True
        if answer.status_code == 200 and SHORTAGE in answer.text:
            raise Refused(SHORTAGE)
        raise Lost(f"no answer to a form: {answer.status_code} {answer.text[-80:]}")


class Agent(Client):
    """Raises and lowers the number of own tickets, of a shared one, and of an own one
    together with one of another customer (R4.5)."""

    kind, login = "agent", "agent"

    def __init__(self, load, number):
        super().__init__(load, number)
        self.names = [f"agent {number} ticket {n}" for n in range(2)]
        self.ids = self.world.agent_tickets(self.names)

    def once(self):
        number = self.random.randint(0, 3)
        if self.random.random() < 0.2:
            # Whose write came last nobody is told: any of them.
            self.ask(self._write, number, self.load.shared_id)
            return
        name, ticket_id = self.random.choice(
            list(zip(self.names, self.ids, strict=True))
        )
        ticket_ids = [ticket_id]
        if self.random.random() < 0.3:
            # Two accounts, in the order in which a list may show them.
            ticket_ids.append(self.load.other_id)
            self.random.shuffle(ticket_ids)
        self.ask(self._write, number, *ticket_ids, name=name, quantity=-number)

    def _write(self, number, *ticket_ids):
        return self.call(
            "helpdesk.ticket", "write", list(ticket_ids), {"incident_count": number}
        )


class Manager(Client):
    """Gives incidents and takes them back (R7.2)."""

    kind, login = "adjust", "manager"

    def once(self):
        name = self.name()
        quantity = self.random.choice((1, 2, -1, -2))
        self.ask(self._adjust, name, quantity, name=name, quantity=quantity)

    def _adjust(self, name, quantity):
        wizard_id = self.call(
            "helpdesk.incident.adjust",
            "create",
            {
                "partner_ids": [(6, 0, [self.world.customer_id])],
                "quantity": quantity,
                "reason": name,
            },
        )
        return self.call("helpdesk.incident.adjust", "action_apply", [wizard_id])


class Payer(Client):
    """Registers payments, each of which gives incidents (R6.3)."""

    kind, login = "pay", "accountant"

    def once(self):
        name, number = self.name(), self.random.randint(1, 2)
        self.ask(self._pay, name, number * PRICE, name=name, quantity=number)

    def _pay(self, name, amount):
        payment_id = self.call(
            "account.payment",
            "create",
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.world.customer_id,
                "amount": amount,
                "journal_id": self.world.journal_id,
                "memo": name,
            },
        )
        return self.call("account.payment", "action_post", [payment_id])


class Charger(Client):
    """Charges in a ticket, which is mailed with its invoice (R10). What the account
    balance does not cover stays due, until funds are added; no incident moves."""

    kind, login = "charge", "charger"
    #: Small, and more than is there.
    AMOUNTS = (1, 1, 4 * PRICE)

    def once(self):
        self.ask(self._charge, self.name())

    def _charge(self, name):
        return self.call(
            "helpdesk.ticket.charge",
            "create",
            {
                "ticket_id": self.load.charged_id,
                "name": name,
                "amount": self.random.choice(self.AMOUNTS),
                "request_key": name,
            },
        )


class Seller(Client):
    """Makes orders, which a buyer pays."""

    kind, login = "order", "seller"

    def make(self, name):
        return self.call(
            "sale.order",
            "create",
            {
                "partner_id": self.world.contact_id,
                "client_order_ref": name,
                "require_signature": False,
                "require_payment": True,
                "prepayment_percent": 1.0,
                "state": "sent",
                "order_line": [
                    (0, 0, {"product_id": self.world.plan_id, "product_uom_qty": 1})
                ],
            },
        )


class Buyer(Client):
    """Pays orders from the account balance, which the others spend, too (R11.4)."""

    kind, login, form = "buy", "contact", True

    def __init__(self, load, number):
        super().__init__(load, number)
        self.seller = Seller(load, number)

    def once(self):
        name = self.name()
        order_id = self.seller.ask(self.seller.make, name)
        if order_id:
            self.ask(self._pay, order_id, name=name, quantity=PACK)

    def _pay(self, order_id):
        answer = self.send(f"/my/orders/{order_id}/pay_from_balance", {})
        where = answer.headers.get("Location", "")
        if "/my/incidents" in where:
            return True
        if "incident_balance=refused" in where:
            raise Refused("The balance does not suffice")
        raise Lost(f"no answer to paying: {answer.status_code} {where}")


class OnlinePayer(Client):
    """Pays online, with `payment_demo`."""

    def card(self, amount):
        """Return what the form to pay sends."""
        return {
            "provider_id": self.world.provider_id,
            "payment_method_id": self.world.method_id,
            "token_id": None,
            "amount": amount,
            "flow": "direct",
            "tokenization_requested": False,
        }

    def simulate(self, reference, state):
        """Let a payment become what it becomes, and wait until it is processed.

        :param str state: "done", "error", "cancel" or "pending".
        """
        self.rpc(
            "/payment/demo/simulate_payment",
            reference=reference,
            payment_details="4242",
            simulated_state=state,
        )
        # It is paid from here on. The browser asks until it is told that this was
        # processed, in vain while somebody else works on the account.
        for _n in range(50):
            try:
                return self.rpc("/payment/status/poll")
            except requests.RequestException:
                break
            except Lost as lost:
                if "retry" not in str(lost):
                    raise
                time.sleep(0.1)
        # A scheduled action does it later.
        return True


class Funder(OnlinePayer):
    """Adds funds online, which settle what is open of charges (R10.2, R11.5); not
    always does the money come."""

    kind, login, form = "fund", "contact", True

    def once(self):
        state = self.random.choice(("done", "done", "done", "error", "pending"))
        name, number = self.name(), self.random.randint(1, 5)
        quantity = number if state == "done" else 0
        self.ask(self._pay, name, number * PRICE, state, name=name, quantity=quantity)

    def _pay(self, name, amount, state):
        answer = self.send("/my/incidents/funds/pay", {"amount": str(amount)})
        where = urlsplit(answer.headers.get("Location", ""))
        if where.path != "/payment/pay":
            raise Lost(f"no way to add funds: {answer.status_code} {where.path}")
        form = {key: value for key, [value] in parse_qs(where.query).items()}
        reference = self.rpc(
            "/payment/transaction",
            **self.card(amount),
            currency_id=int(form["currency_id"]),
            partner_id=int(form["partner_id"]),
            access_token=form["access_token"],
            landing_route="/my/incidents",
            reference_prefix=name,
        )["reference"]
        return self.simulate(reference, state)


class OnlineBuyer(OnlinePayer, Buyer):
    """Pays orders online, with `payment_demo`; not always does the money come (R1)."""

    kind = "online"

    def once(self):
        self.buy(self.random.choice(("done", "done", "error", "cancel", "pending")))

    def buy(self, state):
        """Order, and pay.

        :param str state: what becomes of the payment.
        """
        name = self.name()
        order_id = self.seller.ask(self.seller.make, name)
        if order_id:
            # The plan, and the incident for the funds added with it.
            quantity = PACK + 1 if state == "done" else 0
            self.ask(self._pay, order_id, state, name=name, quantity=quantity)

    def _pay(self, order_id, state="done"):
        reference = self.rpc(
            f"/my/orders/{order_id}/transaction",
            **self.card(PRICE),
            access_token=None,
            landing_route="/my/orders",
        )["reference"]
        return self.simulate(reference, state)


class Clock(Client):
    """Time, which begins and ends periods (R9.3)."""

    kind = "month"

    def __init__(self, load, number):
        self.load, self.world, self.answers = load, load.world, load.answers
        self.number, self.numbers = number, count(1)

    def once(self):
        name = self.name()
        try:
            self.world.sell_periods(name)
        except Exception as error:  # noqa: BLE001
            # The database is down: nobody knows whether that was committed.
            self._note(name, "lost", str(error)[:80])
        else:
            self._note(name, "done")
        self.load.stopped.wait(2)

    def _note(self, name, answer, reason=""):
        for token_, quantity in (
            (f"running {name}", MONTH),
            (f"ended {name}", MONTH),
            (f"end of ended {name}", -MONTH),
        ):
            self.answers.add(self.kind, answer, token_, quantity, reason=reason)


#: Who they are, and how many.
EVERYBODY = (
    (Submitter, 8),
    (Agent, 5),
    (Manager, 2),
    (Payer, 2),
    (Buyer, 1),
    (OnlineBuyer, 1),
    (Funder, 1),
    (Charger, 1),
    (Clock, 1),
)


class Load:
    """All of them at work until there were so many operations, or time is over."""

    def __init__(self, world, server, everybody=EVERYBODY, seed=0):
        self.world, self.server, self.seed = world, server, seed
        self.answers = Answers()
        self.shared_id = world.agent_tickets(["shared ticket"])[0]
        [self.charged_id] = world.agent_tickets(["charged ticket"])
        [self.other_id] = world.agent_tickets(["other ticket"], world.other_id)
        self.answers.possible["shared ticket"] = {0, -1, -2, -3}
        self.clients = [
            client(self, number) for client, size in everybody for number in range(size)
        ]
        self.operations, self.deadline = 0, 0
        self.stopped = threading.Event()
        self.threads = []

    def may_go_on(self):
        return (
            not self.stopped.is_set()
            and time.monotonic() < self.deadline
            and self.answers.total() < self.operations
        )

    def start(self, operations, seconds):
        self.operations = operations
        self.deadline = time.monotonic() + seconds
        self.stopped.clear()
        self.threads = [
            threading.Thread(target=client.run, name=client.kind, daemon=True)
            for client in self.clients
        ]
        for thread in self.threads:
            thread.start()

    def running(self):
        return any(thread.is_alive() for thread in self.threads)

    def stop(self):
        """Let each end what it has begun."""
        self.stopped.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()

    def differences(self):
        """Compare the database with the answers, when nobody is at work.

        :return: what is wrong, in words.
        """
        self.world.act()
        written = self.world.written()
        found = self.answers.differences(written)
        self.answers.settle(written)
        return found + self.world.wrong()
