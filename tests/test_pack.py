from datetime import date

from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestPack(SubscriptionCommon):
    """R15.1: incidents that are given once, and expire."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = cls.plan("10 for a year", 60, "pack", 10, 12)

    def tearDown(self):
        self.env.flush_all()
        found = self.env["helpdesk.incident.account"]._check_ledger()
        self.assertEqual(found, [])
        super().tearDown()

    def window(self, order):
        """Return the first and the last day of what an order has given, what it should
        have given and has, what of that was used, and what has lapsed."""
        self.env.invalidate_all()
        found = self.env["helpdesk.incident.allotment"].search(
            [("res_model", "=", order._name), ("res_id", "=", order.id)]
        )
        return [
            (str(a.date_from), str(a.date_to), a.target, a.granted, a.used, a.lapsed)
            for a in found
        ]

    def entries(self, order):
        self.env.invalidate_all()
        return [
            (str(entry.date), entry.kind, entry.quantity)
            for entry in self.env["helpdesk.incident.entry"].search(
                [("allotment_id.res_model", "=", order._name)], order="id"
            )
            if entry.allotment_id.res_id == order.id
        ]

    def buy(self, plan=None, **values):
        order = self.quotation(plan or self.year, **values)
        payment = self.paid(order)
        return order, payment

    def unearned(self, day):
        """Return what is left of how many incidents, and their value, on a day."""
        self.env.flush_all()
        rows = (
            self.env["helpdesk.incident.unearned"]
            .with_context(unearned_date=day)
            .search([("partner_id", "=", self.customer.id)])
        )
        return [(row.quantity_left, row.amount_left) for row in rows]

    def test_days(self):
        """R15.1, R9.1: bought on January 31 for 1, 12 and 13 months; to the day."""
        for months, last in (
            (1, "2027-02-27"),
            (12, "2028-01-30"),
            (13, "2028-02-28"),
        ):
            with self.on("2027-01-31"):
                plan = self.plan(f"For {months}", 60, "pack", 10, months)
                order, _payment = self.buy(plan)
                self.assertEqual(
                    self.window(order), [("2027-01-31", last, 10, 10, 0, 0)]
                )
                self.assertEqual(self.entries(order), [("2027-01-31", "purchase", 10)])
                self.assertFalse(self.subscription(order))
        for day, available in (
            ("2027-02-27", 30),
            ("2027-02-28", 20),
            ("2028-01-30", 20),
            ("2028-01-31", 10),
            ("2028-02-28", 10),
            ("2028-02-29", 0),
        ):
            with self.on(day):
                self.assertEqual(self.available(), available, day)
        with self.on("2028-03-01"):
            self.incident_account()._lock()._open_and_close()
            self.assertEqual(
                self.entries(order),
                [("2027-01-31", "purchase", 10), ("2028-02-28", "expiry", -10)],
            )

    def test_words(self):
        """R15.1, R8.6: orders, invoices and the statement say what, and to which
        day."""
        self.assertEqual(
            self.year.incident_description, "10 incidents, valid for 12 months"
        )
        month = self.plan("1 for a month", 6, "pack", 1, 1)
        self.assertEqual(month.incident_description, "1 incident, valid for 1 month")
        order = self.quotation(self.year, quantity=2)
        line = order.order_line
        self.assertIn("10 incidents, valid for 12 months", line.name)
        self.assertEqual(
            line._incident_words(),
            "20 incidents, valid for 12 months, from the day of payment",
        )
        self.transaction(order)
        invoice = self.bill(order)
        self.assertIn("Apr 11, 2027 – Apr 10, 2028", invoice.invoice_line_ids.name)
        self.env.invalidate_all()
        self.assertEqual(
            line._incident_words(),
            "20 incidents, valid for 12 months, Apr 11, 2027 – Apr 10, 2028",
        )
        account = self.incident_account()
        allotment = account.allotment_ids.filtered("date_to")
        self.assertEqual(allotment.display_name, "valid to Apr 10, 2028")
        self.assertEqual(allotment.name, f"{order.name}: 10 for a year")
        entry = allotment.entry_ids
        self.assertEqual(entry.name, f"{order.name}: 10 for a year")
        self.assertEqual((entry.res_model, entry.res_id), (order._name, order.id))
        self.assertEqual(order.incident_quantity, 20)
        self.assertFalse(order.incident_subscription_count)
        with self.on("2028-04-12"):
            account._lock()._open_and_close()
            self.assertEqual(
                allotment.entry_ids.sorted("id")[-1].name,
                f"{order.name}: 10 for a year: unused incidents lapsed after their "
                "last day",
            )
            self.assertEqual(order.incident_quantity, 20)

    def test_undone_and_redone(self):
        """R15.1, R3.4, R8.4: what is unused goes, and comes back in its window."""
        order, payment = self.buy()
        with self.on("2027-05-01"):
            ticket = self.use(3)
            payment.action_draft()
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 0, 3, 3, 0)]
            )
            self.assertEqual(self.available(), 0)
        with self.on("2027-06-01"):
            payment.action_post()
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 10, 10, 3, 0)]
            )
            self.assertEqual(self.available(), 7)
            ticket.incident_count = 0
            self.assertEqual(self.available(), 10)
        self.assertEqual(
            self.entries(order),
            [
                ("2027-04-11", "purchase", 10),
                ("2027-05-01", "deduction", -3),
                ("2027-05-01", "revocation", -7),
                ("2027-06-01", "purchase", 7),
                ("2027-06-01", "return", 3),
            ],
        )

    def test_returned_while_undone(self):
        """R15.1, R3.5: what was used of a pack that is not paid any more is taken back
        when it is returned; never more than it has."""
        order, payment = self.buy()
        ticket = self.use(3)
        payment.action_draft()
        ticket.incident_count = 1
        self.assertEqual(self.window(order), [("2027-04-11", "2028-04-10", 0, 1, 1, 0)])

    def test_redone_too_late(self):
        """R15.1: paid again after its last day it gives nothing usable, and staff are
        told until they have seen it."""
        order, payment = self.buy()
        faults = self.env["helpdesk.incident.fault"]
        with self.on("2027-05-01"):
            payment.action_draft()
        with self.on("2028-04-11"):
            payment.action_post()
            self.assertEqual(self.available(), 0)
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 10, 10, 0, 10)]
            )
            self.assertEqual(
                self.entries(order)[-2:],
                [("2028-04-11", "purchase", 10), ("2028-04-11", "expiry", -10)],
            )
            fault = faults.search([("res_id", "=", order.id)])
            self.assertIn("10 for a year (valid to Apr 10, 2028)", fault.error)
            self.assertTrue(fault.came_too_late)
            fault.action_retry()
            self.assertTrue(fault.exists())
            desk = new_test_user(
                self.env, "desk", groups="helpdesk_mgmt.group_helpdesk_user"
            )
            with self.assertRaises(UserError):
                fault.with_user(desk).action_leave_lapsed()
            fault.action_leave_lapsed()
            self.assertFalse(fault.exists())
            self.assertIn("paid too late", order.message_ids[0].body)
            order._incident_changed()
            self.assertFalse(faults.search([("res_id", "=", order.id)]))

    def test_lapsed_in_time_is_no_fault(self):
        """R15.1: what was there in time, and lapsed, is nothing to check."""
        order, payment = self.buy()
        with self.on("2028-05-01"):
            order._incident_changed()
            payment.action_draft()
            self.assertFalse(
                self.env["helpdesk.incident.fault"].search([("res_id", "=", order.id)])
            )

    def test_credited(self):
        """R15.1, R8.4, R12.4: half credited takes five; to the cent."""
        order, _payment = self.buy()
        self.use(3)
        self.assertEqual(self.unearned("2027-04-11"), [(7, 42)])
        with self.on("2027-05-01"):
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.quantity = 0.5
            note.action_post()
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 5, 5, 3, 0)]
            )
            self.assertEqual(self.unearned("2027-05-01"), [(2, 12)])
            self.assertEqual(self.unearned("2027-04-30"), [(7, 42)])
        with self.on("2027-06-01"):
            note.button_draft()
            self.assertEqual(self.available(), 7)

    def test_two_units(self):
        """R15.1, R8.2: two units are one window with twice as many."""
        order, _payment = self.buy(quantity=2)
        self.assertEqual(
            self.window(order), [("2027-04-11", "2028-04-10", 20, 20, 0, 0)]
        )
        self.assertEqual(self.unearned("2027-04-11"), [(20, 120)])

    def test_order_of_use(self):
        """R15.1, R4.2: what ends first is used first, then what never ends."""
        self.buy(self.pack)
        year, _payment = self.buy()
        months, _payment = self.buy(self.months)
        half, _payment = self.buy(self.plan("5 for half a year", 30, "pack", 5, 6))
        ticket = self.use(27)
        legs = [
            (-entry.quantity, entry.allotment_id.res_model, entry.allotment_id.res_id)
            for entry in ticket.incident_entry_ids.sorted("id")
        ]
        subscription = self.subscription(months)
        self.assertEqual(
            legs,
            [
                (10, subscription._name, subscription.id),
                (5, "sale.order", half.id),
                (10, "sale.order", year.id),
                (2, False, 0),
            ],
        )

    def test_returned_after_its_end(self):
        """R15.1, R5.3: as of a month that has ended."""
        order, _payment = self.buy()
        ticket, kept = self.use(3), self.use(2)
        with self.on("2028-04-11"):
            ticket.incident_count = 0
            self.assertEqual(self.available(), 0)
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 10, 10, 2, 8)]
            )
            self.company.incident_expired_return = "lifetime"
            kept.incident_count = 0
            self.assertEqual(self.available(), 2)

    def test_merged(self):
        """R15.1, R2.2: it moves to the customer that stays, with its window."""
        order, payment = self.buy()
        self.use(3)
        other = self._customer("Other")
        self.env["base.partner.merge.automatic.wizard"].create(
            {
                "partner_ids": [(6, 0, (self.customer | other).ids)],
                "dst_partner_id": other.id,
            }
        ).action_merge()
        self.assertEqual(self.available(other), 7)
        payment.action_draft()
        self.assertEqual(self.available(other), 0)
        payment.action_post()
        self.assertEqual(
            self.window(order), [("2027-04-11", "2028-04-10", 10, 10, 3, 0)]
        )

    def test_unearned_by_window(self):
        """R15.1, R12.4: each window has its own queue, and lapses at its end."""
        self.buy(self.pack)
        with self.on("2027-05-01"):
            self.buy()
            self.use(4)
            self.assertEqual(sorted(self.unearned("2027-05-01")), [(6, 36), (10, 50)])
        with self.on("2028-06-01"):
            # 6 have lapsed, with their value.
            self.assertEqual(self.unearned("2028-05-01")[-1], (10, 50))
            months = (
                self.env["helpdesk.incident.unearned.month"]
                .with_context(unearned_from="2027-04-01", unearned_date="2028-06-01")
                .search([("product_id", "=", self.year.id)])
            )
            lapsed = {
                str(month.date): (month.lapsed, month.amount_lapsed)
                for month in months
                if month.lapsed
            }
            self.assertEqual(lapsed, {"2028-04-30": (6, 36)})

    def test_named_day(self):
        """R15.1, R8.12: not before a day to come; a past day is kept, and what was over
        at the confirmation comes for life."""
        order = self.quotation(self.year)
        order.order_line.incident_date_start = "2027-06-01"
        self.assertEqual(
            order.order_line._incident_words(),
            "10 incidents, valid for 12 months, Jun 1, 2027 – May 31, 2028, or from "
            "the day of payment if that is later",
        )
        self.paid(order)
        self.assertEqual(
            self.window(order), [("2027-06-01", "2028-05-31", 10, 0, 0, 0)]
        )
        self.assertEqual(self.available(), 0)
        self.assertEqual(self.unearned("2027-04-11"), [(10, 60)])
        self.assertEqual(self.incident_account()._arrivals(), {date(2027, 6, 1): 10})
        with self.on("2027-06-02"):
            self.assertEqual(self.available(), 10)
            self.incident_account()._lock()._open_and_close()
            self.assertEqual(self.entries(order), [("2027-06-01", "purchase", 10)])
        past = self.quotation(self.year)
        past.order_line.incident_date_start = "2027-01-01"
        self.paid(past)
        self.assertEqual(
            self.window(past), [("2027-01-01", "2027-12-31", 10, 10, 0, 0)]
        )
        # R3.7: what a document does is dated the day it happens.
        self.assertEqual(self.entries(past), [("2027-04-11", "purchase", 10)])
        gone = self.quotation(self.year)
        gone.order_line.incident_date_start = "2026-01-01"
        self.assertEqual(
            gone.order_line._incident_words(),
            "10 incidents, valid for 12 months, Jan 1, 2026 – Dec 31, 2026: over by "
            "the day of confirmation, so they are lifetime incidents",
        )
        self.paid(gone)
        self.assertEqual(self.window(gone), [])
        self.assertEqual(self.given(), 10)

    def test_cancelled_and_confirmed_again(self):
        """R15.1, R8.4: cancelling takes back what no paid invoice covers; confirmed
        again it comes back in its window."""
        self.company.incident_grant_on = "confirmed"
        order = self.order(self.year)
        with self.on("2027-05-01"):
            order._action_cancel()
            self.assertEqual(self.available(), 0)
            order.action_draft()
            order.action_confirm()
            self.assertEqual(
                self.window(order), [("2027-04-11", "2028-04-10", 10, 10, 0, 0)]
            )

    def test_several_at_once(self):
        """R15.1: two packs that begin on one day are announced together; each is one
        window."""
        order = self.quotation(self.year, self.year)
        order.order_line.incident_date_start = "2027-06-01"
        self.paid(order)
        self.assertEqual(len(self.window(order)), 2)
        self.assertEqual(self.incident_account()._arrivals(), {date(2027, 6, 1): 20})

    def test_typed_invoice(self):
        """R15.1, R8.8: a pack on an invoice that somebody has typed is sold."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_line_ids": [
                    (0, 0, {"product_id": self.year.id, "quantity": 2})
                ],
            }
        )
        self.assertTrue(invoice.incident_names_plan)
        invoice.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()
        order = invoice.invoice_line_ids.sale_line_ids.order_id
        self.assertEqual(
            self.window(order), [("2027-04-11", "2028-04-10", 20, 20, 0, 0)]
        )

    def test_listed_by_plan(self):
        """R15.1, R12.2: allotments and entries are found, grouped and shown by plan."""
        self.buy()
        self.buy(self.months)
        self.buy(self.pack)
        for model in ("allotment", "entry"):
            records = self.env[f"helpdesk.incident.{model}"]
            mine = [("account_id", "=", self.incident_account().id)]
            for plan, found in ((self.year, 1), (self.months, None)):
                by_id = records.search([*mine, ("product_id", "=", plan.id)])
                by_name = records.search([*mine, ("product_id", "ilike", plan.name)])
                self.assertEqual(by_id, by_name)
                self.assertEqual(by_id.product_id, plan)
                self.assertEqual(len(by_id), found or len(by_id))
            none = records.search([*mine, ("product_id", "=", False)])
            self.assertFalse(none.product_id)
            self.assertEqual(
                {
                    product.id
                    for product, _count in records._read_group(
                        mine, ["product_id"], ["__count"]
                    )
                },
                {self.year.id, self.months.id, False},
            )

    def test_not_renewed(self):
        """R15.1: a pack renews nothing, and nothing is changed to it."""
        template = self.months.product_tmpl_id
        template.incident_change_template_ids |= self.year.product_tmpl_id
        subscription = self.bought()
        self.assertNotIn(self.year, subscription._change_plans())
        self.assertNotIn(self.year, subscription._renewal_plans())

    def test_form(self):
        """R15.1, R8.1: the form of a product asks for how many months; 1 to 120."""
        with Form(self.env["product.template"]) as form:
            form.name = "A pack"
            form.incident_kind = "pack"
            form.incident_quantity = 5
            form.incident_term_months = 6
        self.assertEqual(
            form.record.incident_description, "5 incidents, valid for 6 months"
        )
        for months in (0, 121):
            with self.assertRaises(ValidationError):
                form.record.incident_term_months = months

    def test_price_by_incident(self):
        """R15.1: beside each other, packs are compared with packs."""
        order = self.quotation(self.year, self.plan("5", 40, "pack", 5, 12))
        facts = order.order_line[0]._incident_price_facts(order.order_line)
        self.assertEqual(
            [fact.replace("\N{NO-BREAK SPACE}", " ") for fact in facts],
            ["$ 6.00 an incident", "you save 25 %"],
        )
