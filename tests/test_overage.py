from contextlib import contextmanager
from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import html2plaintext

from odoo.addons.helpdesk_paid_support.models.charge.ticket_overage import Agreed

from .common_sale import SaleCommon


class OverageCommon(SaleCommon):
    """A team that sells what is missing, and a customer on account: 6.00 for each, up
    to 30.00 in a month."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.single = cls.plan("Extra incident", 6, "lifetime", 1)
        cls.company.write(
            {
                "incident_overage_product_id": cls.single.id,
                "incident_overage_limit": 30,
            }
        )
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Emergency",
                "company_id": cls.company.id,
                "incident_required": True,
                "incident_cost": 2,
                "incident_shortage_policy": "charge",
            }
        )
        cls.user = new_test_user(
            cls.env,
            "hps-otto",
            groups="base.group_portal",
            parent_id=cls.customer.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def pay_in_euro(self):
        """Let the customer pay 6.00 € for each, which are 12.00 $.

        :return: the euro.
        """
        euro = self.env.ref("base.EUR")
        rates = self.env["res.currency.rate"]
        rates.search([("currency_id", "=", euro.id)]).unlink()
        for day, rate in (("2027-01-01", 0.5), ("2027-05-10", 0.25)):
            rates.create(
                {
                    "currency_id": euro.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
            )
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {
                "name": "Euro",
                "currency_id": euro.id,
                "item_ids": [
                    Command.create({"compute_price": "fixed", "fixed_price": 6})
                ],
            }
        )
        return euro

    def offer(self, missing=2):
        return self.env["sale.order"]._incident_overage(
            self.user.partner_id, self.company, missing
        )

    def submit(self, agreed=True, user=None, **values):
        """Submit a ticket as the portal form does.

        :param agreed: what the customer has agreed to: True for what it costs.
        """
        user = user or self.user
        if agreed is True:
            available = self.incident_account().available
            agreed = self.offer(self.team.incident_cost - max(available, 0)).key
        context = {"incident_agreed": agreed and Agreed(user, agreed)}
        tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
        return (
            tickets.with_context(**context)
            .create(
                {
                    "name": "Mail server is down",
                    "description": "…",
                    "team_id": self.team.id,
                    "company_id": self.company.id,
                    "partner_id": self.user.partner_id.id,
                    "user_id": False,
                    **values,
                }
            )
            .with_env(self.env)
        )

    def sold(self, ticket):
        return self.env["sale.order"].search([("incident_ticket_id", "=", ticket.id)])

    @contextmanager
    def assertRefused(self, words):
        """Check that a clear error with these words is raised; roll it back."""
        with self.assertRaises(UserError) as caught:
            yield
        self.assertRegex(str(caught.exception), words)

    def history(self, ticket):
        words = " ".join(html2plaintext(m.body or "") for m in ticket.message_ids)
        return words.replace("\N{NO-BREAK SPACE}", " ")

    def assertWaits(self, ticket, why):
        """Check that it waits, nothing was sold, and staff see why."""
        self.assertEqual((ticket.incident_state, ticket.incident_count), ("parked", 0))
        self.assertFalse(self.sold(ticket))
        history = self.history(ticket)
        self.assertIn("Not sold to be paid later", history)
        self.assertRegex(history, why)


@tagged("post_install", "-at_install")
class TestOverage(OverageCommon):
    """R18.1, R18.2, R18.4: what a ticket lacks is sold with it, to be paid later."""

    def test_sold(self):
        """R18.2: 2 for 12.00, given on confirmation, deducted, named by the order; the
        balance is 0."""
        ticket = self.submit()
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 2)
        )
        order = self.sold(ticket)
        self.assertEqual((order.state, order.amount_total), ("sale", 12))
        self.assertEqual(order.incident_grant_on, "confirmed")
        self.assertEqual(order.incident_overage_date, date(2027, 4, 11))
        self.assertEqual(order.origin, ticket.number)
        self.assertIn(ticket.number, order.order_line.name)
        self.assertEqual(order.partner_id, self.user.partner_id)
        self.assertFalse(order.invoice_ids)
        account = self.incident_account()
        self.assertEqual((account.available, account.lifetime_granted), (0, 2))
        self.assertIn(order.name, self.history(ticket))
        self.assertFalse(
            self.env["helpdesk.incident.reminder"].search(
                [("ticket_id", "=", ticket.id)]
            )
        )

    def test_only_what_is_missing(self):
        """R18.1: with 1 of 2 there, 1 is sold for 6.00; with enough, none."""
        self.incident_account()._adjust(1, "A gift")
        ticket = self.submit()
        self.assertEqual(self.sold(ticket).amount_total, 6)
        self.incident_account()._adjust(2, "A gift")
        ticket = self.submit("anything")
        self.assertEqual((ticket.incident_count, len(self.sold(ticket))), (2, 0))

    def test_taxes_and_pricelist(self):
        """R18.1: 2 at 5.00 of the pricelist and 15 % tax: 11.50."""
        self.single.taxes_id = self.tax_sale_a
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {
                "name": "Partners",
                "item_ids": [
                    Command.create({"compute_price": "fixed", "fixed_price": 5})
                ],
            }
        )
        offer = self.offer()
        self.assertAlmostEqual(offer.total, 11.5)
        ticket = self.submit()
        self.assertAlmostEqual(self.sold(ticket).amount_total, 11.5)

    def test_returned(self):
        """R18.2: what comes back is the customer's, lifetime."""
        ticket = self.submit()
        ticket.incident_count = 0
        account = self.incident_account()
        self.assertEqual((account.available, account.lifetime_balance), (2, 2))

    # -- consent ------------------------------------------------------------------

    def test_not_agreed(self):
        """R18.1: without consent the ticket waits; words in the context are none."""
        self.assertWaits(self.submit(None), "has not agreed")
        key = self.offer().key
        tickets = self.env["helpdesk.ticket"].with_context(incident_agreed=key)
        ticket = (
            tickets.with_user(self.user)
            .sudo()
            .create(
                {
                    "name": "Crafted",
                    "description": "…",
                    "team_id": self.team.id,
                    "company_id": self.company.id,
                    "partner_id": self.user.partner_id.id,
                }
            )
        )
        self.assertWaits(ticket, "has not agreed")

    def test_foreign_consent(self):
        """R18.1: a user of another customer, who follows, agrees to nothing."""
        other = new_test_user(
            self.env,
            "hps-other",
            groups="base.group_portal",
            parent_id=self._customer("Other").id,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertWaits(self.submit(user=other), "has not agreed")

    def test_changed_total(self):
        """R18.1: another price than the one that was agreed to asks again."""
        key = self.offer().key
        self.single.list_price = 7
        with self.assertRefused("has changed"):
            self.submit(key)
        self.assertFalse(
            self.env["sale.order"].search([("incident_overage_date", "!=", False)])
        )

    # -- what is in the way ----------------------------------------------------------

    def test_below_zero(self):
        """R18.2: who is below zero waits."""
        order = self.order(self.pack)
        self.register(self.bill(order))
        self.submit(None)
        self.reverse(order.invoice_ids)
        account = self.incident_account()
        account.invalidate_recordset()
        self.assertLess(account.lifetime_balance, 0)
        self.assertWaits(self.submit(self.offer(2).key), "below zero")

    def test_limit(self):
        """R18.4: 30.00 in a month is 2 tickets of 12.00; only what is cancelled frees
        it, and the next month does."""
        first, second = self.submit(), self.submit()
        self.assertTrue(self.sold(first) and self.sold(second))
        third = self.submit()
        self.assertWaits(third, r"costs \$ 12.00, and \$ 24.00 of the \$ 30.00")
        first.incident_count = 0
        self.incident_account()._adjust(-2, "Spent")
        self.assertWaits(self.submit(), "24.00")
        self.sold(first)._action_cancel()
        self.incident_account()._adjust(2, "Spent again")
        fourth = self.submit()
        self.assertTrue(self.sold(fourth))
        with freeze_time("2027-04-30 23:59:59"):
            self.assertWaits(self.submit(), "24.00")
        with freeze_time("2027-05-01 00:00:00"):
            self.assertTrue(self.sold(self.submit()))

    def test_limit_by_tax_alone(self):
        """R18.4: 2 × 12.00 are within 25.00, with 15 % tax they are not."""
        self.company.incident_overage_limit = 25
        self.single.taxes_id = self.tax_sale_a
        self.assertTrue(self.sold(self.submit()))
        self.assertWaits(self.submit(), r"\$ 13.80 of the \$ 25.00")

    def test_limit_in_another_currency(self):
        """R18.4: orders in euros count at their rate."""
        euro = self.pay_in_euro()
        # 12.00 € are 24.00 $.
        ticket = self.submit()
        self.assertEqual(self.sold(ticket).currency_id, euro)
        self.assertWaits(self.submit(), r"costs \$ 24.00, and \$ 24.00 of the \$ 30.00")

    def test_day_of_the_company(self):
        """R18.4: the month is that of the company's time zone."""
        self.company.partner_id.tz = "Pacific/Auckland"
        with freeze_time("2027-04-30 13:00:00"):
            ticket = self.submit()
            self.assertEqual(self.sold(ticket).incident_overage_date, date(2027, 5, 1))

    def test_none_allowed(self):
        """R18.4: 0 is none, the default; a customer can have a limit of its own, 0
        included."""
        self.company.incident_overage_limit = 0
        self.assertWaits(self.submit(), "may pay nothing later")
        self.customer.incident_overage_own = True
        self.assertWaits(self.submit(), "may pay nothing later")
        self.customer.incident_overage_limit = 12
        self.assertTrue(self.sold(self.submit()))
        self.company.incident_overage_limit = 1000
        self.assertWaits(self.submit(), "12.00 of the")

    def test_overdue(self):
        """R18.4: overdue since yesterday is too long, unless the company allows 1 day;
        what is due today is not overdue."""
        invoice = self.invoice(5)
        invoice.invoice_date_due = "2027-04-11"
        invoice.line_ids.filtered("date_maturity").date_maturity = "2027-04-11"
        self.assertTrue(self.sold(self.submit()))
        invoice.line_ids.filtered("date_maturity").date_maturity = "2027-04-10"
        self.assertWaits(self.submit(), invoice.name)
        self.company.incident_overage_overdue_days = 1
        self.assertTrue(self.sold(self.submit()))
        self.company.incident_overage_overdue_days = 0
        self.register(invoice)
        self.company.incident_overage_limit = 100
        self.assertTrue(self.sold(self.submit()))

    def test_not_set_up(self):
        """R18.1: without a product, or without a price, the ticket waits."""
        key = self.offer().key
        for change in (
            {"incident_overage_product_id": False},
            {"incident_overage_product_id": self.single.id},
        ):
            self.company.write(change)
            self.single.list_price = 0
            self.assertWaits(self.submit(key), "no product for what is paid later")
        with self.assertRefused("no lifetime plan of 1"):
            self.company.incident_overage_product_id = self.pack

    def test_order_gives_nothing(self):
        """R3.9, R18.2: an order that could not give is none, and the ticket waits."""

        def fail(order):
            return Exception("not today")

        self.patch(type(self.env["sale.order"]), "_incident_try", fail)
        self.assertWaits(self.submit(), "has not given")

    # -- staff ------------------------------------------------------------------------

    def test_staff_see_and_sell(self):
        """R18.4: staff see why it waits, and who may charge sells it with a reason."""
        self.company.incident_overage_limit = 0
        ticket = self.submit()
        self.assertIn("may pay nothing later", ticket.incident_overage_obstacle)
        boss = self.env["helpdesk.ticket.overage"].with_user(self.charger())
        wizard = boss.create({"ticket_id": ticket.id})
        self.assertIn("2 × Extra incident: $\N{NO-BREAK SPACE}12.00", wizard.offer)
        self.assertIn("may pay nothing later", wizard.obstacle)
        with self.assertRefused("enter a reason"):
            wizard.action_sell()
        wizard.reason = "Agreed on the phone"
        wizard.action_sell()
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 2)
        )
        self.assertIn("Reason: Agreed on the phone", self.history(ticket))
        with self.assertRefused("Nothing is missing"):
            wizard.action_sell()
        self.assertEqual(len(self.sold(ticket)), 1)

    def test_staff_sell_what_is_short(self):
        """R16.6, R18.4: so for a ticket that is short of what it takes by its time."""
        self.team.write({"incident_unit": "time", "incident_block_minutes": 60})
        ticket = self.submit()
        ticket.incident_minutes = 170
        self.assertEqual((ticket.incident_count, ticket.incident_short), (2, 1))
        wizard = self.env["helpdesk.ticket.overage"].with_user(self.charger())
        wizard = wizard.create({"ticket_id": ticket.id, "reason": "It was long"})
        self.assertIn("1 × Extra incident", wizard.offer)
        wizard.action_sell()
        self.assertEqual((ticket.incident_count, ticket.incident_short), (3, 0))

    def test_staff_sell_what_they_have_seen(self):
        """R18.4: at another price, or of another number, nothing is sold."""
        self.company.incident_overage_limit = 0
        ticket = self.submit()
        boss = self.env["helpdesk.ticket.overage"].with_user(self.charger())
        form = Form(boss.with_context(default_ticket_id=ticket.id))
        form.reason = "By phone"
        self.company.incident_overage_product_id.list_price += 1
        wizard = form.save()
        with self.assertRefused("open this form again"):
            wizard.action_sell()
        wizard = boss.create({"ticket_id": ticket.id, "reason": "By phone"})
        self.assertIn("14.00", wizard.offer)
        wizard.action_sell()
        self.assertEqual(self.sold(ticket).amount_total, 14)

    def charger(self, login="hps-chip", groups="group_ticket_charge"):
        return new_test_user(
            self.env,
            login,
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user,"
            f"helpdesk_paid_support.{groups}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_who_may(self):
        """R14, R18.4: only who may charge sells by hand; only managers set limits; only
        customers allow it for e-mail."""
        self.company.incident_overage_limit = 0
        ticket = self.submit()
        agent = self.charger("hps-andy", "group_incident_reader")
        with self.assertRaises(AccessError):
            ticket.with_user(agent).action_incident_sell()
        with self.assertRaises(AccessError):
            self.env["helpdesk.ticket.overage"].with_user(agent).create(
                {"ticket_id": ticket.id, "reason": "Why not"}
            )
        clerk = new_test_user(
            self.env,
            "hps-clerk",
            groups="base.group_user,base.group_partner_manager,"
            "helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        customer = self.customer.with_user(clerk)
        for values in ({"incident_overage_own": True}, {"incident_overage_limit": 1}):
            with self.assertRaises(AccessError):
                customer.write(values)
        for user in (clerk, self.env.user):
            with self.assertRaises(AccessError):
                self.customer.with_user(user).incident_overage_by_mail = True
            with self.assertRaises(AccessError):
                self.env["res.partner"].with_user(user).create(
                    {"name": "Friend", "incident_overage_by_mail": True}
                )
        # No default of the context does, either.
        for name in ("grant_on", "overage_own", "overage_limit", "overage_by_mail"):
            value = "confirmed" if name == "grant_on" else 1
            context = {f"default_incident_{name}": value}
            partners = self.env["res.partner"].with_user(clerk).with_context(**context)
            friend = partners.create({"name": "Friend"})
            self.assertFalse(friend[f"incident_{name}"], name)
        for limit in (-1, float("nan"), float("inf"), 1e13):
            with self.assertRefused("0 or more"):
                self.customer.write({"incident_overage_limit": limit})
        account = self.incident_account()
        account.with_user(self.manager_here()).write(
            {"overage_own": True, "overage_limit": 50}
        )
        self.assertEqual(self.customer._incident_overage_limit_in(self.company), 50)
        with self.assertRaises(AccessError):
            account.with_user(clerk).write({"overage_limit": 60})

    def manager_here(self):
        self.manager.write(
            {"company_ids": [(4, self.company.id)], "company_id": self.company.id}
        )
        return self.manager

    def test_branch(self):
        """R2.3, R18.4: what was bought at the root counts in its branch, which has a
        limit of its own; what the customer allows holds in both."""
        self.submit()
        branch = self.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": self.company.id,
                "incident_overage_product_id": self.single.id,
                "incident_overage_limit": 20,
            }
        )
        customer = self.customer
        today = branch._incident_today()
        orders = self.env["sale.order"]
        self.assertEqual(orders._incident_overage_sum(customer, branch, today), 12)
        self.assertEqual(customer._incident_overage_limit_in(branch), 20)
        customer.write({"incident_overage_own": True, "incident_overage_limit": 7})
        self.assertEqual(customer._incident_overage_limit_in(branch), 7)
        for place, other in ((self.company, branch), (branch, self.company)):
            for allowed in (True, False):
                customer._incident_agree_overage_by_mail(place, allowed)
                self.assertEqual(
                    customer._incident_overage_agreed_by_mail(other), allowed
                )

    def test_merged(self):
        """R2.2, R18.4: what the customers have bought adds up; the one that stays has
        its own limit and consent, whoever merges them."""
        other = self._customer("Northwind Ltd")
        other.incident_overage_own = True
        other.incident_overage_limit = 500
        other._incident_agree_overage_by_mail(self.company, True)
        self.submit()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | other).ids, other)
        self.assertEqual(other._incident_overage_limit_in(self.company), 500)
        third = self._customer("Northwind Inc")
        wizard._merge((third | other).ids, third)
        self.assertEqual(third._incident_overage_limit_in(self.company), 30)
        self.assertFalse(third.incident_overage_by_mail)
        orders = self.env["sale.order"]
        today = self.company._incident_today()
        self.assertEqual(orders._incident_overage_sum(third, self.company, today), 12)

    def test_check_and_value(self):
        """R13.4, R12.4: the ledger check knows what was sold so, and what it is worth:
        6.00 for what came back of 12.00, without tax."""
        self.single.taxes_id = self.tax_sale_a
        self.submit().incident_count = 1
        self.assertFalse(self.account_model._check_ledger())
        self.assertLedgerSound()
        rows = (
            self.env["helpdesk.incident.unearned"]
            .with_context(unearned_date="2027-04-11")
            .with_company(self.company)
            .search([("partner_id", "=", self.customer.id)])
        )
        self.assertEqual(
            [(row.quantity, row.quantity_left, row.amount_left) for row in rows],
            [(2, 1, 6)],
        )
