from datetime import date
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestAutomaticRenewal(RenewalCommon):
    """R9.7: 3 months for 90.00, paid through July 10; renewed from July 3 on."""

    # -- paying --------------------------------------------------------------

    def test_from_the_balance(self):
        """First from the account balance; not before its day, and once."""
        self.pay(100)
        with self.on("2027-07-02"):
            self.run_renewal()
            self.assertFalse(self.renewals())
        for day in ("2027-07-03", "2027-07-04"):
            with self.on(day):
                self.run_renewal()
                self.run_renewal()
                self.assertRenewed()
        order = self.renewals()
        self.assertEqual(order.invoice_ids.amount_residual, 0)
        self.assertFalse(order.transaction_ids)
        self.assertEqual(self.customer._incident_account_balance(self.company), 10)
        self.assertEqual(self.told("renewed"), 1)
        mail = self.mails("Standard support, 3 months was renewed")
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.partner_ids, self.customer)
        self.assertIn("Oct 10, 2027", mail.body)

    def test_with_the_token(self):
        """Else with the saved payment method; the last months have their incidents."""
        self.pay(89)
        token = self.token()
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
            order = self.renewals()
            self.assertEqual(order.transaction_ids.token_id, token)
            self.assertEqual(order.transaction_ids.state, "done")
            self.assertEqual(order.transaction_ids.payment_id.amount, 90)
            self.assertEqual(self.told("renewed"), 1)
            self.run_renewal()
            self.assertEqual(len(order.transaction_ids), 1)

    def test_to_be_paid(self):
        """Else it is sent to be paid; the customer pays by hand in between."""
        for day in ("2027-07-03", "2027-07-04"):
            with self.on(day):
                self.run_renewal()
                self.assertNotRenewed("method")
        order = self.renewals()
        self.assertEqual((len(order), order.state), (1, "sent"))
        self.assertEqual(self.told("failed"), 1)
        mail = self.mails("could not be renewed")
        self.assertIn(order.get_portal_url(), mail.body.replace("&amp;", "&"))
        self.assertIn("no payment method is saved", mail.body)
        with self.on("2027-07-05"):
            self.transaction(order)
            self.assertRenewed()
            self.pay(200)
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.told("renewed"), 1)

    def test_declined(self):
        """A token that fails is tried again every day, until there is a better one; the
        customer hears of it once."""
        self.token("error")
        for number, day in enumerate(("2027-07-03", "2027-07-04"), 1):
            with self.on(day):
                self.run_renewal()
                self.run_renewal()
                self.assertNotRenewed("declined")
                self.assertEqual(len(self.renewals().transaction_ids), number)
        self.assertEqual(self.told("failed"), 1)
        self.token()
        with self.on("2027-07-05"):
            self.run_renewal()
            self.assertRenewed()

    def test_provider_down(self):
        """A provider that cannot be reached is asked again the next day; meanwhile
        nothing is given, and the others are renewed."""
        self.token()
        other = self._customer("Other")
        second = self.bought(customer=other)
        second._set_auto_renew(True)
        self.pay(100, other)
        tx_class = self.env.registry["payment.transaction"]
        # What `_send_api_request` raises where nobody answers.
        down = ValidationError("Could not establish the connection to the API.")
        with (
            self.on("2027-07-03"),
            patch.object(tx_class, "_send_payment_request", side_effect=down),
        ):
            self.run_renewal()
            self.assertNotRenewed("declined")
            self.assertEqual(self.renewals().transaction_ids.state, "error")
            self.assertEqual(self.renewals().state, "sent")
            self.assertEqual(second.date_end, date(2027, 10, 10))
        self.assertEqual(self.told("failed"), 1)
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.told("failed"), 1)

    def test_archived_token(self):
        """A token that was archived is asked for nothing."""
        self.token().active = False
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("method")
            self.assertFalse(self.renewals().transaction_ids)

    def test_token_of_somebody_else(self):
        """R2.3: the tokens of other customers are theirs."""
        self.token(partner_id=self._customer("Other").id)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("method")

    def test_pending(self):
        """What the provider has not decided is waited for."""
        self.token("pending")
        with self.on("2027-07-03"):
            self.run_renewal()
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertNotRenewed("paying")
            self.assertEqual(len(self.renewals().transaction_ids), 1)
            transaction = self.renewals().transaction_ids
            transaction.action_demo_set_done()
            transaction._post_process()
            self.env.invalidate_all()
            self.assertRenewed()
        self.assertFalse(self.told("failed"))

    def test_confirmed_by_staff(self):
        """R9.7: what staff have confirmed, to be paid later, is not charged again; the
        customer is told."""
        self.token()
        with self.on("2027-07-01"):
            order = self.subscription_one._order_renewal()
            order.action_confirm()
        for day in ("2027-07-03", "2027-07-04"):
            with self.on(day):
                self.run_renewal()
                self.assertNotRenewed("unpaid")
        self.assertEqual(self.renewals(), order)
        self.assertEqual(self.told("failed"), 1)

    def test_rejected_by_the_bank(self):
        """R9.7: a payment that the bank rejects afterwards is not asked for again by
        itself; the customer is told. Reset and posted again, it is the same one."""
        self.token()
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
            payment = self.renewals().transaction_ids.payment_id
            payment.action_reject()
        for day in ("2027-07-04", "2027-07-05"):
            with self.on(day):
                self.run_renewal()
                self.assertNotRenewed("unpaid")
                self.assertEqual(len(self.renewals().transaction_ids), 1)
        self.assertEqual(self.told("failed"), 1)
        with self.on("2027-07-06"):
            payment.action_draft()
            payment.action_post()
            self.assertRenewed()

    def test_contact_of_another_customer(self):
        """R11.6: a contact that has moved pays for nothing of the old customer."""
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        order = self.quotation(self.months, customer=contact)
        self.transaction(order)
        subscription = self.subscription(order).sudo()
        subscription._set_auto_renew(True)
        self.subscription_one._set_auto_renew(False)
        bakery = self._customer("Blue Bakery")
        contact.parent_id = bakery
        self.pay(500, bakery)
        self.token(partner_id=contact.id)
        with self.on("2027-07-03"):
            self.run_renewal()
        self.assertEqual(subscription.renewal_problem, "method")
        self.assertEqual(self.renewals(subscription).partner_id, self.customer)
        self.assertEqual(bakery._incident_account_balance(self.company), 500)

    # -- what has changed --------------------------------------------------------

    def test_dearer(self):
        """A higher price is never taken without the customer's consent."""
        self.months.list_price = 91
        self.pay(100)
        self.token()
        for day in ("2027-07-03", "2027-07-04"):
            with self.on(day):
                self.run_renewal()
                self.assertNotRenewed("confirm")
        self.assertFalse(self.renewals().transaction_ids)
        self.assertEqual(self.told("failed"), 1)
        with self.on("2027-07-05"):
            self.renewals()._incident_pay_from_balance()
            self.assertRenewed()

    def test_discount_of_the_first_time(self):
        """A discount of the first order, on a line of its own, is a price, too."""
        order = self.quotation(self.months)
        order.order_line = [(0, 0, {"product_id": self.service.id, "price_unit": -45})]
        self.transaction(order)
        subscription = self.subscription(order).sudo()
        subscription._set_auto_renew(True)
        self.subscription_one._set_auto_renew(False)
        self.pay(100)
        with self.on("2027-07-03"):
            self.run_renewal()
        self.assertEqual(subscription.renewal_problem, "confirm")

    def test_cheaper(self):
        """A lower price is taken."""
        self.months.list_price = 80
        self.pay(100)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.renewals().amount_total, 80)

    def test_scheduled_change(self):
        """R9.6: the customer has agreed to the price of the scheduled plan, and to no
        other."""
        self.small.list_price = 29
        with self.on("2027-05-20"):
            self.subscription_one._order_change(self.small)
        self.pay(100)
        self.small.list_price = 29.5
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("confirm")
            self.renewals()._action_cancel()
        self.small.list_price = 29
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertEqual(self.subscription_one.date_end, date(2027, 8, 10))
            self.assertEqual(self.subscription_one.product_id, self.small)

    def test_extras_are_renewed(self):
        """R9.4: extra incidents are part of the renewal, at the price of last time."""
        with self.on("2027-05-20"):
            self.paid(self.subscription_one._order_extra(4))
        self.pay(200)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
            self.assertEqual(self.renewals().amount_total, 138)

    def test_plan_not_sold_any_more(self):
        """The plan was archived: the customer is told to choose another."""
        self.pay(100)
        self.months.active = False
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("plan")
        self.assertFalse(self.renewals())
        self.assertEqual(self.told("failed"), 1)

    def test_unpublished(self):
        """A plan that is hidden from the portal goes on for whoever has it."""
        self.months.incident_portal_published = False
        self.pay(100)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()

    def test_ordered_by_hand(self):
        """What the customer has ordered and not paid is not paid for him."""
        self.pay(100)
        with self.on("2027-07-01"):
            order = self.subscription_one._order_renewal()
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("ordered")
            self.assertEqual(self.renewals(), order)

    def test_ordered_long_ago(self):
        """An order that nobody can pay any more stands in nobody's way."""
        self.pay(100)
        with self.on("2027-05-20"):
            order = self.subscription_one._order_change(self.business)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(order.state, "cancel")

    def test_payment_that_never_comes(self):
        """R9.7, R13.2: waited for, but the customer is told that it ends."""
        with self.on("2027-07-01"):
            order = self.subscription_one._order_renewal()
            self.transaction(order, state="pending")
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("paying")
        self.assertEqual(self.told("ends"), 1)

    def test_switched_off(self):
        """Switched off, nothing is taken, and the order made for it is withdrawn."""
        with self.on("2027-07-03"):
            self.run_renewal()
            self.subscription_one._set_auto_renew(False)
            self.assertEqual(self.renewals().state, "cancel")
            self.pay(100)
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertEqual(self.subscription_one.date_end, date(2027, 7, 10))

    def test_cancelled(self):
        """R9.8: what staff cancel is not renewed, nor is what was ordered for it."""
        with self.on("2027-07-03"):
            self.run_renewal()
            self.subscription_one.action_cancel()
            self.assertFalse(self.subscription_one.auto_renew)
            self.assertEqual(self.renewals().state, "cancel")
        self.pay(100)
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertEqual(len(self.renewals()), 1)

    # -- crashes -----------------------------------------------------------------

    def test_killed_before_the_provider_is_asked(self):
        """The transaction that was committed is asked for: the same one, once."""
        self.token()
        asked = []
        tx_class = self.env.registry["payment.transaction"]
        send = tx_class._send_payment_request

        def answer(transaction):
            asked.append(transaction.reference)
            return send(transaction)

        with self.on("2027-07-03"):
            self.subscription_one._buy()
            transaction = self.renewals().transaction_ids
            self.assertEqual(transaction.state, "draft")
            with patch.object(tx_class, "_send_payment_request", answer):
                self.run_renewal()
                self.run_renewal()
            self.assertEqual(asked, [transaction.reference])
            self.assertRenewed()
        self.assertEqual(self.renewals().transaction_ids, transaction)

    def test_killed_after_the_provider_was_asked(self):
        """The answer is lost: the same transaction is asked for again, which providers
        charge once."""
        self.token()
        asked = []
        tx_class = self.env.registry["payment.transaction"]
        send = tx_class._send_payment_request

        def answer(transaction):
            asked.append(transaction.reference)
            send(transaction)
            if len(asked) == 1:
                raise RuntimeError("killed")

        with (
            patch.object(tx_class, "_send_payment_request", answer),
            self.on("2027-07-03"),
        ):
            with mute_logger("odoo.addons.helpdesk_paid_support.models"):
                self.run_renewal()
            self.assertNotRenewed("error")
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(len(asked), 2)
        self.assertEqual(len(set(asked)), 1)

    def test_one_fault_does_not_stop_the_others(self):
        """A subscription that cannot be renewed is left alone, and shown."""
        other = self._customer("Other")
        second = self.bought(customer=other)
        second._set_auto_renew(True)
        self.pay(100)
        self.pay(100, other)
        order_class = self.env.registry["sale.order"]
        pay = order_class._incident_pay_from_balance

        def fail(order):
            if order.partner_id == self.customer:
                raise ValueError("broken")
            return pay(order)

        with (
            patch.object(order_class, "_incident_pay_from_balance", fail),
            mute_logger("odoo.addons.helpdesk_paid_support.models"),
            self.on("2027-07-03"),
        ):
            self.run_renewal()
        self.assertNotRenewed("error")
        self.assertEqual(second.date_end, date(2027, 10, 10))

    def test_only_one_open_renewal(self):
        """R9.7: one open renewal order per subscription."""
        with self.on("2027-07-03"):
            self.run_renewal()
            first = self.renewals()
            self.assertEqual(self.subscription_one._order_renewal(), first)
            changed = self.subscription_one._order_renewal(extra=2)
            self.assertEqual(first.state, "cancel")
            self.assertEqual(self.subscription_one._open_orders(), changed)
            self.transaction(changed, state="pending")
            with self.assertRaisesRegex(UserError, "just being paid"):
                self.subscription_one._order_renewal()
