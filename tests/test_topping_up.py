from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_sale import AutomaticCommon


class ToppingUpCommon(AutomaticCommon):
    """Below 3, 10 incidents for 50.00 are bought, for at most 100.00 a month."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "customer@example.com"
        cls.pack.product_tmpl_id.incident_portal_published = True
        cls.account = cls.incident_account()
        cls.account._adjust(4, "A gift")

    def on(self, day, hour=10):
        self.env.invalidate_all()
        return freeze_time(f"{day} {hour}:00:00")

    def choose(self, by_customer=True, **values):
        return self.env["helpdesk.incident.topup"]._set_up(
            self.account,
            self.company,
            self.customer if by_customer else None,
            **{
                "threshold": 3,
                "product_id": self.pack.id,
                "monthly_limit": 100,
                "method": "card",
                **values,
            },
        )

    def run_top_up(self, *before):
        """Run the scheduled action as the server does.

        :param before: names of others, which run first.
        """
        self.run_actions(*before, "top_up")

    def orders(self):
        return self.env["sale.order"].search(
            [("incident_topup_id", "!=", False)], order="id"
        )

    def told(self, kind):
        """Return how often the customer was told something, or is to be."""
        return self.env["helpdesk.incident.reminder"].search_count(
            [
                ("account_id", "=", self.account.id),
                ("kind", "=", kind),
                ("state", "in", ("waiting", "sent")),
            ]
        )

    def sent(self):
        """Let what waits be mailed, and return the kinds of what was."""
        self.run_actions("remind")
        reminders = self.env["helpdesk.incident.reminder"].search(
            [("account_id", "=", self.account.id), ("state", "=", "sent")], order="id"
        )
        return reminders.mapped("kind")

    def mail(self, kind):
        """Return the text of the last mail of a kind, as its template writes it."""
        reminder = self.env["helpdesk.incident.reminder"].search(
            [("kind", "=", kind)], order="id desc", limit=1
        )
        template = self.env.ref(f"helpdesk_paid_support.mail_template_incident_{kind}")
        values = template.sudo()._generate_template(reminder.ids, ["body_html"])
        return " ".join(str(values[reminder.id]["body_html"]).split())

    def assertTopped(self, orders=1, available=12):
        self.assertEqual(len(self.orders()), orders)
        self.assertEqual(self.available(), available)
        self.assertFalse(self.topup.problem)

    def assertNothingBought(self, problem=False):
        self.assertEqual(self.available(), 2)
        self.assertEqual(self.topup.problem, problem)


@tagged("post_install", "-at_install")
class TestToppingUp(ToppingUpCommon):
    """R19.1: what is bought, when, and from what."""

    # -- when ------------------------------------------------------------------

    def test_after_a_ticket(self):
        """A ticket that leaves fewer than 3 makes it due; the scheduled action buys one
        unit, once, with the saved payment method; the customer is told."""
        self.topup = self.choose()
        self.token()
        self.use(1)
        self.assertFalse(self.topup.due)
        self.run_top_up()
        self.assertFalse(self.orders())
        self.use(1)
        self.assertTrue(self.topup.due)
        self.assertFalse(self.orders())
        for _again in range(2):
            self.run_top_up()
            self.assertTopped()
        order = self.orders()
        self.assertEqual(order.transaction_ids.state, "done")
        self.assertEqual(order.transaction_ids.payment_id.amount, 50)
        self.assertEqual(str(order.incident_topup_date), "2027-04-11")
        self.assertEqual(self.sent(), ["topup_switched", "topup_done"])
        self.assertIn(order.name, self.mail("topup_done"))
        self.assertFalse(self.topup.due)

    def test_from_the_balance(self):
        """First from the account balance; no card is asked then."""
        self.topup = self.choose()
        self.token()
        self.pay(60)
        self.use(2)
        self.run_top_up()
        self.assertTopped()
        self.assertFalse(self.orders().transaction_ids)
        self.assertEqual(self.customer._incident_account_balance(self.company), 10)

    def test_as_many_units_as_reach(self):
        """One order of as many units as reach what is wanted, what is below zero made
        up for first (R3.5)."""
        single = self.plan("One", 7, "lifetime", 1, incident_portal_published=True)
        self.topup = self.choose(product_id=single.id, threshold=8)
        self.token()
        self.use(3)
        self.run_top_up()
        self.assertTopped(available=8)
        self.assertEqual(self.orders().order_line.product_uom_qty, 7)
        self.account._adjust(-10, "A mistake")
        self.assertEqual(self.account.lifetime_balance, -2)
        self.assertEqual(self.topup._missing_units(), 10)

    def test_after_a_lapse(self):
        """What lapses by itself triggers it, and a pack tops up, too."""
        year = self.plan(
            "5 for a year", 30, "pack", 5, 12, incident_portal_published=True
        )
        self.transaction(self.quotation(self.plan("9 for a month", 9, "pack", 9, 1)))
        self.topup = self.choose(product_id=year.id, threshold=6)
        self.token()
        with self.on("2027-05-11"):
            self.assertFalse(self.topup.due)
            self.run_top_up("open_and_close")
            self.assertTopped(available=9)

    def test_never_by_what_is_taken_back(self):
        """R19.1: revocations and corrections buy nothing, not even where a period is
        granted with them."""
        order = self.quotation(self.pack)
        payment = self.transaction(order).payment_id
        self.topup = self.choose()
        self.token()
        self.use(11)
        payment.action_draft()
        self.account._adjust(9, "Some")
        self.account._adjust(-1, "A mistake")
        self.assertEqual(self.available(), 1)
        with self.on("2027-04-20"):
            self.run_top_up("open_and_close")
        self.assertFalse(self.topup.due)
        self.assertFalse(self.orders())

    def test_a_ticket_that_waits(self):
        """A ticket that lacks incidents would have used them."""
        team = self.env["helpdesk.ticket.team"].create(
            {
                "name": "Paid",
                "incident_required": True,
                "incident_shortage_policy": "park",
                "incident_on_staff_tickets": True,
                "company_id": self.company.id,
            }
        )
        self.use(4)
        self.topup = self.choose()
        self.token()
        self.run_top_up()
        self.assertFalse(self.orders(), "nothing is bought because of the choice")
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It waits",
                "description": "Please help",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "team_id": team.id,
            }
        )
        self.assertEqual(ticket.incident_parking, "parked")
        self.run_top_up()
        self.run_top_up("parked")
        self.assertEqual(ticket.incident_count, 1)
        self.assertTopped(available=9)

    def test_a_ticket_that_is_short(self):
        """R16.6: so would one whose time has taken all that there is."""
        self.use(4)
        self.topup = self.choose()
        self.token()
        team = self.env["helpdesk.ticket.team"].create(
            {
                "name": "Timed",
                "incident_required": True,
                "incident_unit": "time",
                "incident_block_minutes": 30,
                "company_id": self.company.id,
            }
        )
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It takes time",
                "description": "Please help",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "team_id": team.id,
            }
        )
        ticket.incident_minutes = 60
        self.assertEqual(ticket.incident_short, 2)
        self.assertTrue(self.topup.due)
        self.run_top_up()
        self.run_top_up("parked")
        self.assertFalse(ticket.incident_short)
        self.assertTopped(available=8)

    def test_switched_off(self):
        """Switched off it buys nothing, and what was ordered so is withdrawn."""
        self.topup = self.choose()
        self.use(2)
        self.run_top_up()
        self.assertEqual(self.orders().state, "sent")
        self.topup._switch_off()
        self.assertEqual(self.orders().state, "cancel")
        self.token()
        self.use(1)
        with self.on("2027-04-13"):
            self.run_top_up()
        self.assertEqual(len(self.orders()), 1)
        self.assertEqual(self.told("topup_switched"), 2)
        self.assertIn("switched off", str(self.customer.message_ids.mapped("body")))

    # -- not while something else is bought ----------------------------------------

    def test_younger_than_a_day(self):
        """Not while an order of plans of the customer is younger than a day."""
        self.topup = self.choose()
        self.token()
        order = self.quotation(self.pack)
        self.use(2)
        self.run_top_up()
        self.assertFalse(self.orders())
        with self.on("2027-04-12", hour=9):
            self.run_top_up()
            self.assertFalse(self.orders())
        with self.on("2027-04-12", hour=11):
            self.run_top_up()
            self.assertTopped()
        self.assertEqual(order.state, "draft")

    def test_being_paid(self):
        """Nor while one is being paid; paid, nothing is missing."""
        self.topup = self.choose()
        self.token()
        order = self.quotation(self.pack)
        transaction = self.transaction(order, state="pending")
        self.use(2)
        with self.on("2027-04-20"):
            self.run_top_up()
            self.assertFalse(self.orders())
            transaction.action_demo_set_done()
            transaction._post_process()
            self.run_top_up()
        self.assertFalse(self.orders())
        self.assertFalse(self.topup.due)

    # -- consent ---------------------------------------------------------------

    def test_dearer(self):
        """R9.7: a higher price is asked for, once; what the customer then pays is
        agreed on."""
        self.topup = self.choose()
        self.token()
        self.pack.list_price = 55
        self.use(2)
        for day in ("2027-04-11", "2027-04-12", "2027-04-13", "2027-04-14"):
            with self.on(day, hour=11):
                self.run_top_up()
                self.assertNothingBought("confirm")
        self.assertEqual(self.told("topup_failed"), 1)
        self.assertIn("55.00 instead of", self.mail("topup_failed"))
        self.assertTrue(self.topup.is_on)
        self.transaction(self.orders())
        self.assertTopped()
        self.use(10)
        with self.on("2027-04-20"):
            self.topup.monthly_limit = 200
            self.run_top_up()
            self.assertTopped(orders=2)

    def test_cheaper(self):
        """A lower price is taken."""
        self.topup = self.choose()
        self.token()
        self.pack.list_price = 45
        self.use(2)
        self.run_top_up()
        self.assertTopped()

    def test_line_added_by_staff(self):
        """R9.7: staff add a line to the order that waits: the customer still sees what
        differs, and can pay it."""
        self.topup = self.choose()
        self.token()
        self.pack.list_price = 55
        self.use(2)
        self.run_top_up()
        order = self.orders()
        rebate = {"product_id": self.plan("Rebate", 1).id, "price_unit": -1}
        order.order_line = [Command.create(rebate)]
        self.assertIn("instead of", self.topup._differences_words())
        self.transaction(order)
        self.assertTopped()
        self.assertEqual(self.topup.agreed_price, 54)

    def test_other_terms(self):
        """Fewer incidents, or another kind, are asked for."""
        self.topup = self.choose()
        self.token()
        self.pack.incident_quantity = 9
        self.use(2)
        self.run_top_up()
        self.assertNothingBought("confirm")
        self.assertIn(
            "9 lifetime incidents instead of 10 lifetime", self.mail("topup_failed")
        )

    def test_dearer_in_numbers(self):
        """The price of several units is agreed on with that of one."""
        if "product.pricelist.item" in self.env:
            single = self.plan("One", 7, "lifetime", 1, incident_portal_published=True)
            self.topup = self.choose(product_id=single.id, threshold=4)
            self.token()
            pricelist = self.env["product.pricelist"].create(
                {
                    "name": "Dearer in numbers",
                    "company_id": self.company.id,
                    "item_ids": [
                        (
                            0,
                            0,
                            {
                                "compute_price": "fixed",
                                "fixed_price": 8,
                                "min_quantity": 2,
                                "applied_on": "0_product_variant",
                                "product_id": single.id,
                            },
                        )
                    ],
                }
            )
            self.customer.property_product_pricelist = pricelist
            self.use(2)
            self.run_top_up()
            self.assertNothingBought("confirm")

    def test_not_sold_any_more(self):
        """The plan was withdrawn from sale: the customer chooses another one."""
        self.topup = self.choose()
        self.token()
        self.pack.product_tmpl_id.incident_portal_published = False
        self.use(2)
        self.run_top_up()
        self.assertNothingBought("plan")
        self.assertEqual(self.told("topup_failed"), 1)
        self.assertIn("/my/incidents/topup", self.mail("topup_failed"))

    def test_chosen_by_staff(self):
        """R19.1: what staff choose is paid from the balance; no card is charged before
        the customer agrees, nor after staff have changed it."""
        self.topup = self.choose(by_customer=False)
        self.token()
        self.use(2)
        self.run_top_up()
        self.assertNothingBought("balance")
        self.choose()
        self.run_top_up()
        self.assertTopped()
        self.choose(by_customer=False)
        self.use(10)
        with self.on("2027-04-20"):
            self.run_top_up()
            self.assertNothingBought("balance")
            self.pay(100)
        with self.on("2027-04-21"):
            self.run_top_up()
        self.assertTopped(orders=2)

    def test_balance_alone(self):
        """Who has chosen the balance is charged nowhere else."""
        self.topup = self.choose(method="balance")
        self.token()
        self.use(2)
        self.run_top_up()
        self.assertNothingBought("balance")
        self.assertFalse(self.orders().transaction_ids)

    def test_token_of_a_colleague(self):
        """R2.3, R9.7: the payment methods of colleagues are theirs."""
        contacts = self.env["res.partner"].create(
            [{"name": name, "parent_id": self.customer.id} for name in ("Nora", "Ben")]
        )
        self.topup = self.choose()
        self.topup.agreed_partner_id = contacts[0]
        self.token(partner_id=contacts[1].id)
        self.use(2)
        self.run_top_up()
        self.assertNothingBought("method")
        self.token(partner_id=contacts[0].id)
        with self.on("2027-04-12", hour=11):
            self.run_top_up()
        self.assertTopped()

    def test_given_before_it_is_paid(self):
        """R8.11: what needs no consent is confirmed and invoiced, and no card is
        charged."""
        self.customer.with_company(self.company).incident_grant_on = "confirmed"
        self.topup = self.choose()
        self.token()
        self.use(2)
        self.run_top_up()
        self.assertTopped()
        self.assertEqual(self.orders().invoice_ids.state, "posted")
        self.assertFalse(self.orders().transaction_ids)

    def test_what_cannot_be_chosen(self):
        """A plan of months, one that is not sold, a limit below one unit, no number."""
        for wrong in (
            {"product_id": self.months.id},
            {"product_id": self.plan("Hidden", 5, "lifetime", 1).id},
            {"monthly_limit": 49.99},
            {"monthly_limit": float("nan")},
            {"monthly_limit": 1e15},
            {"threshold": 0},
            {"threshold": -1},
        ):
            with self.subTest(wrong=wrong), self.assertRaises(UserError):
                self.choose(**wrong)
        self.assertFalse(self.account._topup())

    # -- limit -----------------------------------------------------------------

    def test_limit(self):
        """R19.1, R19.2: at most 100.00 a month, taxes included; told once a month, and
        gone on with next month."""
        self.topup = self.choose()
        self.token()
        for day in ("2027-04-11", "2027-04-13", "2027-04-15", "2027-04-16"):
            with self.on(day, hour=12):
                self.use(self.available() - 2)
                self.run_top_up()
        self.assertNothingBought("limit")
        self.assertEqual(len(self.orders()), 2)
        self.assertEqual(self.told("topup_limit"), 1)
        self.assertTrue(self.topup.is_on)
        with self.on("2027-05-01"):
            self.run_top_up()
            self.assertTopped(orders=3)
        self.orders()[2].sudo()._action_cancel()

    def test_limit_by_tax_alone(self):
        """Taxes count."""
        self.pack.taxes_id = self.tax_sale_a.copy({"amount": 20, "name": "20 %"})
        with self.assertRaises(UserError):
            self.choose(monthly_limit=59.99)
        self.topup = self.choose(monthly_limit=119.99)
        self.token()
        for day in ("2027-04-11", "2027-04-13"):
            with self.on(day, hour=12):
                self.use(self.available() - 2)
                self.run_top_up()
        self.assertNothingBought("limit")
        self.assertEqual(self.orders().amount_total, 60)

    # -- failures --------------------------------------------------------------

    def test_declined_three_times(self):
        """R19.2: tried once a day; after three failures in a row it is switched off,
        and the customer is told how to switch it on again."""
        self.topup = self.choose()
        self.token("error")
        self.use(2)
        for number, day in enumerate(("11", "12", "13"), 1):
            with self.on(f"2027-04-{day}", hour=11):
                self.run_top_up()
                self.run_top_up()
            self.assertEqual(len(self.orders().transaction_ids), number)
            self.assertEqual(self.topup.failures, number)
            self.assertEqual(self.topup.is_on, number < 3)
        self.assertNothingBought("declined")
        self.assertEqual(
            self.sent(), ["topup_switched", "topup_failed", "topup_stopped"]
        )
        mail = self.mail("topup_stopped")
        self.assertIn("was declined", mail)
        self.assertIn("/my/incidents/topup", mail)
        with self.on("2027-04-14", hour=11):
            self.run_top_up()
            self.assertEqual(len(self.orders().transaction_ids), 3)
            self.token()
            self.choose()
            self.assertEqual(self.topup.failures, 0)
            self.run_top_up()
            self.assertTopped()

    def test_not_in_a_row(self):
        """What succeeds in between begins anew."""
        self.topup = self.choose(monthly_limit=1000)
        token = self.token("error")
        for day in range(11, 17):
            with self.on(f"2027-04-{day}", hour=11 + day % 2):
                self.use(max(self.available() - 2, 0))
                token.demo_simulated_state = "done" if day in (13, 14) else "error"
                self.run_top_up()
        self.assertTrue(self.topup.is_on)
        self.assertEqual(self.topup.failures, 2)

    def test_reversed(self):
        """R19.2: the bank takes the payment back: a failure, and no second order by
        itself, nor by the next ticket, before it is paid."""
        self.topup = self.choose(monthly_limit=1000)
        self.token()
        self.use(2)
        self.run_top_up()
        order = self.orders()
        payment = order.transaction_ids.payment_id
        payment.action_reject()
        self.env.invalidate_all()
        self.assertNothingBought("unpaid")
        self.assertEqual((self.topup.failures, self.topup.due), (1, False))
        for day in ("12", "13", "14"):
            with self.on(f"2027-04-{day}", hour=11):
                self.run_top_up()
        self.assertEqual(self.orders(), order)
        self.assertEqual(len(order.transaction_ids), 1)
        self.assertEqual(self.told("topup_failed"), 1)
        self.assertIn("was taken back", self.mail("topup_failed"))
        self.use(1)
        with self.on("2027-04-15"):
            self.run_top_up()
            self.assertEqual((self.orders(), self.topup.failures), (order, 1))
            payment.action_draft()
            payment.action_post()
            self.env.invalidate_all()
            self.assertEqual((self.available(), self.topup.failures), (11, 0))
            self.assertFalse(self.topup.problem)

    def test_reversed_three_times(self):
        """R19.2: three payments that are reversed later, each credited by staff."""
        self.topup = self.choose(monthly_limit=1000)
        self.token()
        for number, day in enumerate(("11", "13", "15"), 1):
            with self.on(f"2027-04-{day}", hour=11):
                self.use(self.available() - 2)
                self.run_top_up()
                order = self.orders()[number - 1]
                order.transaction_ids.payment_id.action_reject()
                order._action_cancel()
                self.env.invalidate_all()
                self.assertEqual(self.topup.failures, number)
                self.assertEqual(self.topup.is_on, number < 3)
                self.account._adjust(1, "One")
        self.assertEqual(self.told("topup_stopped"), 1)

    def test_credited(self):
        """What staff have credited is no failure, and stands in nobody's way."""
        self.topup = self.choose(monthly_limit=1000)
        self.token()
        self.use(2)
        self.run_top_up()
        invoice = self.bill(self.orders())
        self.settle_with(invoice, self.orders().transaction_ids.payment_id.move_id)
        self.reverse(invoice)
        self.assertNothingBought()
        self.assertEqual((self.topup.failures, self.topup.due), (0, False))
        self.use(1)
        with self.on("2027-04-20"):
            self.run_top_up()
            self.assertTopped(orders=2, available=11)

    def test_pending(self):
        """What the provider has not decided is waited for; if it fails then, that is a
        failure, and it is tried again the next day."""
        self.topup = self.choose()
        token = self.token("pending")
        self.use(2)
        self.run_top_up()
        self.use(1)
        with self.on("2027-04-13"):
            self.run_top_up()
            self.assertEqual(self.topup.problem, "paying")
            transaction = self.orders().transaction_ids
            self.assertEqual(len(transaction), 1)
            transaction._set_error("No money")
            self.assertEqual(self.topup.problem, "declined")
            self.assertEqual(self.topup.failures, 1)
        token.demo_simulated_state = "done"
        with self.on("2027-04-14"):
            self.run_top_up()
            self.assertTopped(available=11)

    def test_provider_down(self):
        """A provider that cannot be reached is asked again the next day."""
        self.topup = self.choose()
        self.token()
        self.use(2)
        tx_class = self.env.registry["payment.transaction"]
        down = ValidationError("Could not establish the connection to the API.")
        with patch.object(tx_class, "_send_payment_request", side_effect=down):
            self.run_top_up()
        self.assertNothingBought("declined")
        self.assertEqual(self.orders().transaction_ids.state, "error")
        with self.on("2027-04-12", hour=11):
            self.run_top_up()
            self.assertTopped()

    def test_killed_before_and_after_it_is_asked(self):
        """The transaction that was committed is asked for: the same one, once."""
        self.topup = self.choose()
        self.token()
        self.use(2)
        asked = []
        tx_class = self.env.registry["payment.transaction"]
        send = tx_class._send_payment_request

        def answer(transaction):
            asked.append(transaction.reference)
            send(transaction)
            if len(asked) == 1:
                raise RuntimeError("killed")

        self.topup._buy()
        transaction = self.orders().transaction_ids
        self.assertEqual(transaction.state, "draft")
        self.use(1)
        with patch.object(tx_class, "_send_payment_request", answer):
            with mute_logger("odoo.addons.helpdesk_paid_support.models"):
                self.run_top_up()
            self.run_top_up()
        self.assertEqual(asked, [transaction.reference] * 2)
        self.assertEqual(self.orders().transaction_ids, transaction)
        self.assertEqual(self.available(), 11)

    def test_killed_and_more_is_missing_the_next_day(self):
        """What the provider may have been asked for is asked for again before anything
        else is ordered."""
        single = self.plan("One", 7, "lifetime", 1, incident_portal_published=True)
        self.topup = self.choose(product_id=single.id)
        self.token()
        self.use(2)
        self.topup._buy()
        transaction = self.orders().transaction_ids
        self.use(1)
        with self.on("2027-04-12", hour=11):
            self.run_top_up()
            self.assertEqual(self.orders().transaction_ids, transaction)
            self.assertEqual((transaction.state, self.available()), ("done", 2))

    def test_answer_that_cannot_be_kept(self):
        """However often the answer of the provider cannot be kept, the same transaction
        is asked for, and the balance does not pay it, too."""
        self.topup = self.choose()
        self.token()
        self.use(2)
        asked = set()
        tx_class = self.env.registry["payment.transaction"]

        def answer(transaction):
            asked.add(transaction.reference)
            raise RuntimeError("not understood")

        with (
            patch.object(tx_class, "_send_payment_request", answer),
            mute_logger("odoo.addons.helpdesk_paid_support.models"),
        ):
            for day in ("11", "12", "13"):
                with self.on(f"2027-04-{day}", hour=11):
                    self.run_top_up()
                self.use(int(day == "11"))
                self.pay(60)
        self.assertEqual(len(asked), 1)
        self.assertNotIn("sale", self.orders().mapped("state"))
        with self.on("2027-04-14"):
            self.run_top_up()
            self.assertTopped(available=11)

    def test_archived(self):
        """From an archived customer nothing is taken or asked for."""
        self.topup = self.choose()
        self.token()
        self.use(2)
        self.customer.active = False
        self.run_top_up()
        self.assertNothingBought("archived")
        self.assertFalse(self.orders())

    # -- one for each account ------------------------------------------------------

    def test_merged(self):
        """R2.2: one setting stays, with what was bought by both; what another customer
        has agreed to charges no card."""
        self.topup = self.choose()
        other = self._customer("Other")
        account = self.incident_account(other)
        account._adjust(3, "A gift")
        topups = self.env["helpdesk.incident.topup"]
        second = topups._set_up(
            account,
            self.company,
            other,
            threshold=2,
            product_id=self.pack.id,
            monthly_limit=60,
            method="card",
        )
        self.pay(60, other)
        self.use(2, other)
        self.run_top_up()
        order = self.orders()
        self.assertEqual(order.incident_topup_id, second)
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, self.customer, extra_checks=False)
        self.assertEqual(topups.search([]), self.topup)
        self.assertEqual(order.incident_topup_id, self.topup)
        self.assertEqual(self.topup.agreed_partner_id, self.customer)
        third = self._customer("Third")
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((third + self.customer).ids, third, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(self.topup.partner_id, third)
        self.assertFalse(self.topup._payers())

    def test_merged_with_what_is_switched_off(self):
        """R2.2, R19.1: nor where the customer that stays had chosen something, and had
        switched it off."""
        self.topup = self.choose()
        other = self._customer("Other")
        account = self.incident_account(other)
        account._adjust(3, "A gift")
        second = self.topup._set_up(
            account,
            self.company,
            other,
            threshold=2,
            product_id=self.pack.id,
            monthly_limit=60,
            method="card",
        )
        second._switch_off()
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, other, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(account._topup(), self.topup)
        self.assertTrue(self.topup.is_on)
        self.assertFalse(self.topup._payers())


@tagged("post_install", "-at_install")
class TestToppingUpInBranches(ToppingUpCommon):
    """R2.3: a company and its branches have one account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_branch()
        # Odoo has given the taxes of the new company to what had none.
        cls.pack.sudo().taxes_id = False

    def test_branch(self):
        """A branch sells what was chosen there, for the account of the root company."""
        self.topup = self.choose()
        self.company, root = self.branch, self.company
        self.assertEqual(self.choose(), self.topup)
        self.company = root
        self.token()
        self.use(2)
        self.run_top_up()
        self.assertTopped()
        self.assertEqual(self.orders().company_id, self.branch)
