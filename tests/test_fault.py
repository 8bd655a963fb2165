from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_payment import PaymentCommon


@tagged("post_install", "-at_install")
class TestFault(PaymentCommon):
    """R3.9: a fault in granting never blocks a payment."""

    def broken(self, error, customer=None):
        """Let granting fail, for one customer if named."""
        account_class = type(self.account_model)
        settle = account_class._settle

        def fail(model, causes):
            if any(
                not customer or cause.account.partner_id == customer for cause in causes
            ):
                raise error
            return settle(model, causes)

        return patch.object(account_class, "_settle", fail)

    def faults(self):
        return self.env["helpdesk.incident.fault"].with_user(self.manager).search([])

    @mute_logger(
        "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
    )
    def test_recorded_and_retried(self):
        """R3.9: the payment is posted, managers see it, it is tried again."""
        with self.broken(ValueError("Something is wrong")):
            payment = self.pay(250)
            self.assertEqual(payment.state, "in_process")
            self.assertEqual(self.balance(), 0)
            fault = self.faults()
            self.assertEqual(fault.res_id, payment.id)
            tries = fault.tries
            self.assertIn("Something is wrong", fault.error)
            action = fault.with_user(self.env.user).sudo().action_open_document()
            self.assertEqual(action["res_id"], payment.id)
            fault.action_retry()
            self.assertEqual(fault.tries, tries + 1)
        with self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_fault_retry"
            ).sudo().method_direct_trigger()
        self.env.invalidate_all()
        self.assertFalse(self.faults())
        self.assertEqual((self.balance(), self.carry()), (4, 50))

    @mute_logger(
        "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
    )
    def test_one_does_not_stop_the_others(self):
        """R3.9: in a batch, the others get theirs."""
        self.unsound = "nobody tries again"
        other = self._customer("Other")
        payments = self.pay(100, post=False) + self.pay(100, other, post=False)
        with self.broken(ValueError("Not this one"), other):
            payments.action_post()
        self.assertEqual(payments.mapped("state"), ["in_process"] * 2)
        # Meanwhile the ledger check says what it should count (R13.4); there is no
        # account yet.
        self.assertEqual(
            [
                (d.account.ids, d.record.id, d.number, d.stored, d.expected)
                for d in self.env["helpdesk.incident.account"]._check_ledger()
            ],
            [
                ([], payments[1].id, f"account.payment.incident_{name}", stored, value)
                for name, stored, value in (
                    ("partner_id", None, str(other.id)),
                    ("topup_counted", "0", "100"),
                )
            ],
        )
        self.assertEqual((self.balance(), self.balance(other)), (2, 0))
        self.assertEqual(self.faults().res_id, payments[1].id)

    def test_concurrency_is_no_fault(self):
        """R3.6: it goes up, and the whole request is tried again."""
        with (
            self.broken(SerializationFailure()),
            self.assertRaises(SerializationFailure),
        ):
            self.pay(100)

    @mute_logger(
        "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
    )
    def test_retry_uses_the_numbers_of_the_payment(self):
        """R6.3, R3.9: other settings meanwhile change nothing."""
        with self.broken(ValueError("Something is wrong")):
            payment = self.pay(250)
        self.company.write({"incident_topup_amount": 1, "incident_topup_quantity": 50})
        self.faults().action_retry()
        self.assertEqual(self.balance(), 4)
        with (
            self.broken(ValueError("Something is wrong")),
            self.assertRaises(ValueError),
        ):
            payment.unlink()

    @mute_logger(
        "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
    )
    def test_manager_opens_what_he_may(self):
        """R3.9, R14"""
        self.unsound = "nobody tries again"
        with self.broken(ValueError("Something is wrong")):
            self.pay(250)
        with self.assertRaisesRegex(UserError, "Ask a colleague"):
            self.faults().action_open_document()
        with self.assertRaises(AccessError):
            self.faults().write({"res_model": "res.partner"})

    @mute_logger(
        "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
    )
    def test_retry_after_it_was_undone(self):
        """R3.4: what is tried again looks at what is true by then."""
        with self.broken(ValueError("Something is wrong")):
            payment = self.pay(250)
        payment.action_draft()
        self.faults().action_retry()
        self.assertFalse(self.faults())
        self.assertEqual(self.balance(), 0)
