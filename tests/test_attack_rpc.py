from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.models import LOG_ACCESS_COLUMNS, MAGIC_COLUMNS
from odoo.service.model import call_kw
from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.fields import DayList

from .common_attack import CLERK, MODULE, SECRET, AttackCommon

#: What the customers' and the staff's users get from each method over RPC: an error of
#: rights (-), another refusal (!), or an answer (+). In the order of ``COLUMNS``.
COLUMNS = ("foreign", "own", "agent", "elsewhere", "accountant")
METHODS = {
    "account.move.action_post": "----!",
    "account.move.action_view_incident_entries": "-+--+",
    "account.move.action_view_incident_subscriptions": "-+--+",
    "account.move.action_view_ticket_charge": "-+--+",
    "account.move.button_draft": "----+",
    "account.move.create": "----+",
    "account.move.default_get": "+++++",
    "account.move.line.write": "----+",
    "account.move.reversal.reverse_moves": "----+",
    "account.move.write": "----+",
    "account.partial.reconcile.create": "----+",
    "account.partial.reconcile.unlink": "----+",
    "account.payment.action_draft": "----+",
    "account.payment.action_post": "----+",
    "account.payment.action_view_charge_tickets": "----+",
    "account.payment.action_view_incident_entries": "----+",
    "account.payment.action_view_incident_subscriptions": "----+",
    "account.payment.create": "----+",
    "account.payment.default_get": "+++++",
    "account.payment.unlink": "----+",
    "account.payment.write": "----+",
    "helpdesk.incident.account.action_offer": "--+--",
    "helpdesk.incident.account.action_view_entries": "-++-+",
    "helpdesk.incident.account.action_view_months": "-++-+",
    "helpdesk.incident.account.action_view_orders": "-++-+",
    "helpdesk.incident.account.action_view_subscriptions": "-++-+",
    "helpdesk.incident.account.action_view_tickets": "-++-+",
    "helpdesk.incident.account.copy": "!!!!!",
    "helpdesk.incident.account.create": "!!!!!",
    "helpdesk.incident.account.fields_get": "+++++",
    "helpdesk.incident.account.get_empty_list_help": "+++++",
    "helpdesk.incident.account.write": "-----",
    "helpdesk.incident.adjust.action_apply": "-----",
    "helpdesk.incident.adjust.default_get": "+++++",
    "helpdesk.incident.allotment.copy": "!!!!!",
    "helpdesk.incident.allotment.create": "!!!!!",
    "helpdesk.incident.allotment.fields_get": "+++++",
    "helpdesk.incident.allotment.write": "!!!!!",
    "helpdesk.incident.dashboard.action_open_dashboard": "--+++",
    "helpdesk.incident.dashboard.action_open_number": "--!-!",
    "helpdesk.incident.dashboard.fields_get": "+++++",
    "helpdesk.incident.described.fields_get": "+++++",
    "helpdesk.incident.difference.action_check": "-----",
    "helpdesk.incident.difference.action_open_account": "-----",
    "helpdesk.incident.entry.action_open_source": "-++-+",
    "helpdesk.incident.entry.copy": "!!!!!",
    "helpdesk.incident.entry.create": "!!!!!",
    "helpdesk.incident.entry.fields_get": "+++++",
    "helpdesk.incident.entry.action_view_used": "----+",
    "helpdesk.incident.entry.write": "!!!!!",
    "helpdesk.incident.fault.action_confirm_free": "-----",
    "helpdesk.incident.fault.action_leave_lapsed": "-----",
    "helpdesk.incident.fault.action_open_document": "-----",
    "helpdesk.incident.fault.action_retry": "-----",
    "helpdesk.incident.ledger.copy": "!!!!!",
    "helpdesk.incident.ledger.create": "!!!!!",
    "helpdesk.incident.ledger.fields_get": "+++++",
    "helpdesk.incident.ledger.write": "!!!!!",
    "helpdesk.incident.merge.copy": "!!!!!",
    "helpdesk.incident.merge.create": "!!!!!",
    "helpdesk.incident.merge.fields_get": "+++++",
    "helpdesk.incident.merge.write": "!!!!!",
    "helpdesk.incident.contest.action_decide": "--+--",
    "helpdesk.incident.contest.decide.action_accept": "--!--",
    "helpdesk.incident.contest.decide.action_decline": "--+--",
    "helpdesk.incident.contest.fields_get": "+++++",
    "helpdesk.incident.customer.balance.action_open_account": "----+",
    "helpdesk.incident.customer.balance.action_open_items": "----+",
    "helpdesk.incident.customer.balance.fields_get": "+++++",
    "helpdesk.incident.onboarding.action_apply": "-----",
    "helpdesk.incident.onboarding.action_back": "-----",
    "helpdesk.incident.onboarding.action_hide_steps": "-----",
    "helpdesk.incident.onboarding.default_get": "--+++",
    "helpdesk.incident.opening.action_cancel": "-----",
    "helpdesk.incident.opening.action_confirm": "-----",
    "helpdesk.incident.opening.action_view_entries": "--+-+",
    "helpdesk.incident.opening.action_view_order": "--+-+",
    "helpdesk.incident.opening.action_view_subscription": "--+-+",
    "helpdesk.incident.opening.create": "-----",
    "helpdesk.incident.opening.default_get": "+++++",
    "helpdesk.incident.opening.fields_get": "+++++",
    "helpdesk.incident.opening.get_import_templates": "+++++",
    # It says of each line why it was not imported.
    "helpdesk.incident.opening.load": "+++++",
    "helpdesk.incident.opening.write": "-----",
    "helpdesk.incident.position.fields_get": "+++++",
    "helpdesk.incident.protected.create": "-----",
    "helpdesk.incident.protected.default_get": "+++++",
    "helpdesk.incident.protected.write": "+++++",
    "helpdesk.incident.purchase.copy": "!!!!!",
    "helpdesk.incident.purchase.create": "!!!!!",
    "helpdesk.incident.purchase.fields_get": "+++++",
    "helpdesk.incident.purchase.write": "!!!!!",
    "helpdesk.incident.recurring.action_open_subscription": "----+",
    "helpdesk.incident.recurring.fields_get": "+++++",
    "helpdesk.incident.release.action_compare": "----+",
    "helpdesk.incident.release.action_open_move": "----+",
    "helpdesk.incident.release.action_opening": "-----",
    "helpdesk.incident.release.fields_get": "+++++",
    "helpdesk.incident.release.line.action_difference": "----+",
    "helpdesk.incident.release.line.action_entries": "----+",
    "helpdesk.incident.release.line.action_invoiced": "----+",
    "helpdesk.incident.release.line.action_openings": "----+",
    "helpdesk.incident.release.line.action_positions": "----+",
    "helpdesk.incident.release.line.create": "-----",
    "helpdesk.incident.release.line.fields_get": "+++++",
    "helpdesk.incident.release.line.write": "-----",
    "helpdesk.incident.release.write": "-----",
    "helpdesk.incident.reminder.fields_get": "+++++",
    "helpdesk.incident.returned.fields_get": "+++++",
    "helpdesk.incident.subscription.action_auto_renew_off": "--+--",
    "helpdesk.incident.subscription.action_auto_renew_on": "--+--",
    "helpdesk.incident.subscription.action_cancel": "-----",
    "helpdesk.incident.subscription.action_order_change": "--+--",
    "helpdesk.incident.subscription.action_order_extra": "--+--",
    "helpdesk.incident.subscription.action_order_renewal": "--+--",
    "helpdesk.incident.subscription.action_reopen": "-----",
    "helpdesk.incident.subscription.action_view_entries": "-++-+",
    "helpdesk.incident.subscription.action_view_invoices": "-++-+",
    "helpdesk.incident.subscription.action_view_orders": "-++-+",
    "helpdesk.incident.subscription.fields_get": "+++++",
    "helpdesk.incident.subscription.get_empty_list_help": "+++++",
    "helpdesk.incident.subscription.message_subscribe": "-----",
    "helpdesk.incident.subscription.order.action_order": "--+--",
    "helpdesk.incident.subscription.term.fields_get": "+++++",
    "helpdesk.incident.subscription.write": "-----",
    "helpdesk.incident.topup.create": "-----",
    "helpdesk.incident.topup.fields_get": "+++++",
    "helpdesk.incident.topup.set.action_save": "--!--",
    "helpdesk.incident.topup.set.action_switch_off": "--+--",
    "helpdesk.incident.topup.set.default_get": "+++++",
    "helpdesk.incident.topup.unlink": "-----",
    "helpdesk.incident.topup.write": "-----",
    "helpdesk.incident.unearned.action_open_source": "----+",
    "helpdesk.incident.unearned.action_view_entries": "----+",
    "helpdesk.incident.unearned.action_view_used": "----+",
    "helpdesk.incident.unearned.fields_get": "+++++",
    "helpdesk.incident.unearned.month.action_open_invoiced": "----+",
    "helpdesk.incident.unearned.month.action_open_positions": "----+",
    "helpdesk.incident.unearned.month.fields_get": "+++++",
    "helpdesk.incident.unearned.part.fields_get": "+++++",
    "helpdesk.incident.unearned.wizard.action_chart": "----+",
    "helpdesk.incident.unearned.wizard.action_months": "----+",
    "helpdesk.incident.unearned.wizard.action_positions": "----+",
    "helpdesk.incident.undo.action_confirm": "----!",
    "helpdesk.incident.unearned.wizard.action_release": "-----",
    "helpdesk.incident.used.action_open_order": "----+",
    "helpdesk.incident.used.fields_get": "+++++",
    "helpdesk.ticket.action_charge": "-----",
    "helpdesk.ticket.action_incident_count_time": "--+--",
    "helpdesk.ticket.action_incident_create_contact": "--!--",
    "helpdesk.ticket.action_incident_decide": "--+--",
    "helpdesk.ticket.action_incident_deduct": "--+--",
    "helpdesk.ticket.action_incident_order": "--+--",
    "helpdesk.ticket.action_incident_propose": "--+--",
    "helpdesk.ticket.action_incident_sell": "-----",
    "helpdesk.ticket.action_incident_send_link": "--+--",
    "helpdesk.ticket.action_incident_undo_overage": "-----",
    "helpdesk.ticket.action_incident_waive": "--+--",
    "helpdesk.ticket.action_incident_waive_rest": "--+--",
    "helpdesk.ticket.action_refund_charges": "-----",
    "helpdesk.ticket.action_view_charges": "+++++",
    "helpdesk.ticket.action_view_incident_entries": "-++-+",
    "helpdesk.ticket.action_view_incident_overage": "+++++",
    "helpdesk.ticket.charge.action_edit": "-----",
    "helpdesk.ticket.charge.action_refund": "-----",
    "helpdesk.ticket.charge.action_view_invoices": "+++++",
    "helpdesk.ticket.charge.action_view_ticket": "--+-+",
    "helpdesk.ticket.charge.copy": "!!!!!",
    "helpdesk.ticket.charge.create": "-----",
    "helpdesk.ticket.charge.default_get": "+++++",
    "helpdesk.ticket.charge.fields_get": "+++++",
    "helpdesk.ticket.charge.unlink": "!!!!!",
    "helpdesk.ticket.charge.wizard.action_apply": "-----",
    "helpdesk.ticket.charge.write": "-----",
    "helpdesk.ticket.copy": "--+--",
    "helpdesk.ticket.create": "--++-",
    "helpdesk.ticket.default_get": "+++++",
    "helpdesk.ticket.fields_get": "+++++",
    "helpdesk.ticket.message_new": "--++-",
    "helpdesk.ticket.message_post": "-++-+",
    "helpdesk.ticket.order.action_order": "--+--",
    "helpdesk.ticket.outcome.write": "-----",
    "helpdesk.ticket.overage.action_sell": "-----",
    "helpdesk.ticket.proposal.action_withdraw": "--+--",
    "helpdesk.ticket.proposal.create": "--+--",
    "helpdesk.ticket.proposal.default_get": "+++++",
    "helpdesk.ticket.proposal.fields_get": "+++++",
    "helpdesk.ticket.propose.action_ask": "--+--",
    "helpdesk.ticket.team.create": "-----",
    "helpdesk.ticket.team.rule.create": "-----",
    "helpdesk.ticket.team.rule.unlink": "-----",
    "helpdesk.ticket.team.rule.write": "-----",
    "helpdesk.ticket.team.write": "-----",
    "helpdesk.ticket.unlink": "-----",
    "helpdesk.ticket.write": "--+--",
    "mail.mail.send": "-----",
    "mail.mail.send_after_commit": "-----",
    "mail.message.export_data": "-----",
    "mail.template.send_mail": "----+",
    "mail.template.send_mail_batch": "----+",
    "payment.transaction.create": "-----",
    "payment.transaction.write": "----+",
    "product.product.create": "-----",
    "product.product.write": "-----",
    "product.template.action_view_incident_subscriptions": "--+++",
    "product.template.create": "-----",
    "product.template.write": "-----",
    "res.partner.action_incident_confirm_email": "-----",
    "res.partner.action_incident_register": "--!!-",
    "res.partner.action_incident_settle": "----+",
    "res.partner.action_view_incident_months": "-++++",
    "res.partner.action_view_incidents": "-++++",
    "res.partner.copy": "-----",
    "res.partner.create": "-----",
    "res.partner.default_get": "+++++",
    "res.partner.find_or_create": "-++++",
    "res.partner.write": "-----",
    "res.users.create": "-----",
    "res.users.default_get": "+++++",
    "res.users.write": "-!---",
    "sale.order.action_view_incident_entries": "-+--+",
    "sale.order.action_view_incident_subscriptions": "-+--+",
    "sale.order.create": "-----",
    "sale.order.default_get": "+++++",
    "sale.order.line.copy_data": "----+",
    "sale.order.line.create": "-----",
    "sale.order.line.default_get": "+++++",
    "sale.order.line.unlink": "-----",
    "sale.order.line.write": "----+",
    "sale.order.message_post": "----+",
    "sale.order.write": "----+",
}
#: What is overridden for each model: by others of these tests.
EVERYWHERE = {
    # test_attack_onchange.py
    "base": {"default_get", "onchange"},
    "helpdesk.incident.naming": {"create", "write"},
    # test_plan_roles.py
    "product.attribute.value": {"create"},
    # test_attack_messages.py
    "mail.message": {"write"},
    "mail.thread": {
        *("message_mail_with_source", "message_notify", "message_post"),
        *("message_post_with_source", "message_update"),
    },
}
#: Methods of core that do more for our records than their rights say. All others go by
#: those, and do so in the same way for each model.
INHERITED = {
    "helpdesk.incident.subscription.message_post": "-++-+",
}
#: The documents of customers whose changes are followed.
WRITTEN = {
    "account.move",
    "account.move.line",
    "account.partial.reconcile",
    "account.payment",
    "helpdesk.ticket",
    "helpdesk.ticket.charge",
    "payment.transaction",
    "res.partner",
    "sale.order",
    "sale.order.line",
}
#: What changes what the customer has, by whom: the staff do their work.
CHANGES = {
    ("helpdesk.ticket.action_incident_count_time", "agent"),
    ("account.move.button_draft", "accountant"),
    ("account.partial.reconcile.unlink", "accountant"),
    ("account.payment.action_draft", "accountant"),
    ("account.payment.unlink", "accountant"),
    ("helpdesk.incident.subscription.action_auto_renew_off", "agent"),
    ("helpdesk.incident.subscription.order.action_order", "agent"),
    ("helpdesk.ticket.copy", "agent"),
    ("helpdesk.ticket.create", "agent"),
    ("helpdesk.ticket.order.action_order", "agent"),
    ("helpdesk.ticket.proposal.action_withdraw", "agent"),
}
#: Who may do most things (clerk), and everything else (boss).
STRONG = {
    "agent": "helpdesk_mgmt.group_helpdesk_user",
    "accountant": "account.group_account_invoice",
    "clerk": CLERK,
    "boss": f"{CLERK},helpdesk_mgmt.group_helpdesk_manager,base.group_system",
}
#: The fields of this module that can be written, and by whom of these. All others
#: follow from what happens.
WRITABLE = {
    "account.move.incident_goodwill": ("accountant", "clerk", "boss"),
    "account.move.line.incident_release_kind": ("accountant", "clerk", "boss"),
    "account.move.line.incident_sells_nothing": ("accountant", "clerk", "boss"),
    "helpdesk.incident.account.grant_on": ("boss",),
    "helpdesk.incident.account.lifetime_granted": ("boss",),
    "helpdesk.incident.account.overage_own": ("boss",),
    **dict.fromkeys(
        [
            f"helpdesk.ticket.incident_{name}"
            for name in ("count", "minutes", "outcome_id")
        ],
        ("agent", "clerk", "boss"),
    ),
    **dict.fromkeys(
        [
            f"helpdesk.ticket.outcome.{name}"
            for name in ("name", "sequence", "active", "charged", "company_id")
        ],
        ("boss",),
    ),
    "helpdesk.ticket.charge.amount": ("boss",),
    **dict.fromkeys(
        [
            f"helpdesk.incident.threshold.{name}"
            for name in (
                *("company_id", "number", "tell_customer", "tell_salesperson"),
                "tell_team",
            )
        ],
        ("boss",),
    ),
    # A draft, which has given nothing yet.
    **dict.fromkeys(
        [
            f"helpdesk.incident.opening.{name}"
            for name in (
                *("reference", "company_id", "quantity", "value", "registered"),
                "first_payment",
            )
        ],
        ("boss",),
    ),
    **dict.fromkeys(
        [
            f"helpdesk.ticket.team.rule.{name}"
            for name in ("team_id", "priority", "outside_hours", "incident_cost")
        ],
        ("boss",),
    ),
    # Opening values (R21.1)
    "helpdesk.incident.release.line_ids": ("clerk", "boss"),
    "helpdesk.incident.release.line.product_id": ("clerk", "boss"),
    "helpdesk.incident.release.line.amount_deferred": ("clerk", "boss"),
    "res.partner.incident_grant_on": ("boss",),
    "res.partner.incident_lifetime_granted": ("boss",),
    "res.partner.incident_overage_limit": ("boss",),
    "res.partner.incident_overage_own": ("boss",),
    "res.partner.incident_statement_by_mail": ("clerk", "boss"),
    # Without effect: a customer is registered once (R6.1).
    "res.users.incident_portal_seen": ("boss",),
    **dict.fromkeys(
        [
            f"helpdesk.ticket.team.incident_{name}"
            for name in (
                *("required", "cost", "on_staff_tickets", "shortage_policy"),
                *("rule_ids", "calendar_id", "unit", "block_minutes"),
                *("outcome_required", "return_unanswered", "reopen_days"),
            )
        ],
        ("boss",),
    ),
    **dict.fromkeys(
        [
            f"product.{model}.incident_{name}"
            for model in ("product", "template")
            for name in ("kind", "quantity", "term_months", "carry_periods")
        ],
        ("clerk", "boss"),
    ),
    "product.product.incident_price": ("clerk", "boss"),
    **dict.fromkeys(
        [
            f"product.template.incident_{name}"
            for name in (
                *("portal_published", "extra_product_id", "change_template_ids"),
                "is_support",
            )
        ],
        ("clerk", "boss"),
    ),
    **dict.fromkeys(
        [
            f"res.company.incident_{name}"
            for name in (
                *("registration_quantity", "first_payment_quantity", "topup_amount"),
                *("topup_quantity", "grant_on", "expired_return", "low_threshold"),
                *("first_payment_minimum", "overage_limit"),
                *("overage_invoicing", "overage_overdue_days"),
                *("return_on_duplicate", "renewal_days", "reminder_days"),
                *("pending_days", "setup_hidden", "tell_taken", "contest_days"),
                "proposal_days",
                *("parked_reminder_days", "parked_close_days", "charge_product_id"),
                *("charge_tax_included", "threshold_ids", "opening_deferred"),
                # Of the journal, another one is of another company here.
                *("deferred_account_id", "lapse_account_id", "release_post"),
            )
        ],
        ("boss",),
    ),
}
#: How an answer is written in the table.
SIGNS = {
    None: "+",
    "AccessError": "-",
    "MissingError": "!",
    "NotEnoughIncidents": "!",
    "UserError": "!",
    "ValidationError": "!",
}


@tagged("post_install", "-at_install")
class TestAttackRpc(AttackCommon):
    """R14: every public method is API (docs/development.md): over RPC, as everybody."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.frozen():
            cls._set_up_wizards()
        cls.users.update(
            (role, cls._staff(role, cls.company, groups))
            for role, groups in STRONG.items()
            if role not in cls.users
        )

    @classmethod
    def _set_up_wizards(cls):
        """Forms that somebody with all rights has left open."""
        entry = cls.secret_ticket.sudo().incident_entry_ids[:1]
        cls.contest = (
            cls.env["helpdesk.incident.contest"]
            .sudo()
            .create(
                {
                    "ticket_id": cls.secret_ticket.id,
                    "entry_id": entry.id,
                    "partner_id": cls.user.partner_id.id,
                    "quantity": 1,
                    "reason": SECRET,
                }
            )
        )
        wizards = {
            "helpdesk.incident.adjust": {
                "company_id": cls.company.id,
                "partner_ids": [(6, 0, cls.customer.ids)],
                "quantity": 7,
                "reason": SECRET,
            },
            "helpdesk.incident.onboarding": {
                "company_id": cls.company.id,
                "team_id": cls.team.id,
                "plan_name": "Standard support, 3 months",
            },
            "helpdesk.incident.subscription.order": {
                "subscription_id": cls.sub.id,
                "operation": "renew",
            },
            "helpdesk.incident.undo": {
                "res_model": cls.money._name,
                "res_id": cls.money.id,
                "method": "unlink",
            },
            "helpdesk.incident.topup.set": {
                "account_id": cls.account.id,
                "product_id": cls.months.id,
                "monthly_limit": 100,
            },
            "helpdesk.incident.unearned.wizard": {},
            "account.move.reversal": {
                "move_ids": [(6, 0, cls.charge.invoice_ids.ids)],
                "journal_id": cls.charge.invoice_ids.journal_id.id,
            },
            "helpdesk.ticket.charge.wizard": {
                "ticket_id": cls.secret_ticket.id,
                "name": "More",
                "amount": 5,
            },
            "helpdesk.ticket.order": {
                "ticket_id": cls.secret_ticket.id,
                "product_id": cls.months.id,
                "quantity": 1,
            },
            "helpdesk.ticket.overage": {
                "ticket_id": cls.secret_ticket.id,
                "reason": SECRET,
            },
            "helpdesk.ticket.propose": {
                "ticket_id": cls.secret_ticket.id,
                "name": SECRET,
            },
            "helpdesk.incident.contest.decide": {
                "contest_id": cls.contest.id,
                "answer": SECRET,
            },
        }
        cls.wizards = {
            name: cls.env[name].sudo().create(values)
            for name, values in wizards.items()
        }
        cls.topup = (
            cls.env["helpdesk.incident.topup"]
            .sudo()
            .create(
                {
                    "account_id": cls.account.id,
                    "company_id": cls.company.id,
                    "threshold": 3,
                    "product_id": cls.months.id,
                    "monthly_limit": 100,
                    "method": "balance",
                }
            )
        )
        releases = cls.env["helpdesk.incident.release"].sudo()
        cls.opening = releases.with_company(cls.company).browse(
            releases.with_company(cls.company).action_opening()["res_id"]
        )
        cls.opening.line_ids = [
            Command.clear(),
            Command.create({"product_id": cls.months.id, "amount_deferred": 78}),
        ]
        cls.difference = (
            cls.env["helpdesk.incident.difference"]
            .sudo()
            .create(
                {
                    "account_id": cls.account.id,
                    "partner_id": cls.account.partner_id.id,
                    "company_id": cls.account.company_id.id,
                    "res_model": cls.account._name,
                    "res_id": cls.account.id,
                    "name": "A tampered account",
                    "number": "helpdesk.incident.account.topup_carry",
                    "stored": "5",
                    "expected": "0",
                    "amount": 5,
                }
            )
        )

    def records(self):
        """Return a record of the customer of each model that has methods."""
        sub, money = self.sub.sudo(), self.money.sudo()
        orders = sub.term_ids.sale_line_id.order_id
        invoice = self.charge.invoice_ids
        receivable = invoice.line_ids.filtered("matched_credit_ids")
        return {
            **self.wizards,
            "helpdesk.incident.contest": self.contest,
            "helpdesk.ticket.proposal": self.proposal,
            "account.move": invoice,
            "account.move.line": receivable,
            "account.partial.reconcile": receivable.matched_credit_ids,
            "account.payment": money,
            "helpdesk.incident.account": self.account,
            "helpdesk.incident.allotment": self.account.allotment_ids[:1],
            "helpdesk.incident.difference": self.difference,
            "helpdesk.incident.entry": self.account.entry_ids[:1],
            "helpdesk.incident.fault": self.env["helpdesk.incident.fault"].search(
                [], limit=1
            ),
            "helpdesk.incident.described": self.env["helpdesk.incident.described"],
            "helpdesk.incident.ledger": self.env["helpdesk.incident.ledger"],
            "helpdesk.incident.release": self.opening,
            "helpdesk.incident.release.line": self.opening.line_ids,
            "helpdesk.incident.reminder": self.env["helpdesk.incident.reminder"],
            "helpdesk.incident.merge": self.env["helpdesk.incident.merge"],
            "helpdesk.incident.position": self.env["helpdesk.incident.position"],
            "helpdesk.incident.protected": self.env["helpdesk.incident.protected"],
            "helpdesk.incident.threshold": self.env["helpdesk.incident.threshold"]
            .sudo()
            .create(
                {
                    "company_id": self.company.id,
                    "number": 5,
                    "tell_customer": False,
                    "tell_salesperson": True,
                    "tell_team": True,
                }
            ),
            "helpdesk.incident.opening": self.env["helpdesk.incident.opening"]
            .sudo()
            .create(
                {
                    "reference": SECRET,
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                    "product_id": self.pack.id,
                    "quantity": 5,
                }
            ),
            "helpdesk.incident.purchase": self.env["helpdesk.incident.purchase"]
            .sudo()
            .search([], limit=1),
            "helpdesk.incident.subscription": sub,
            "helpdesk.incident.subscription.term": sub.term_ids,
            "helpdesk.incident.returned": self.env["helpdesk.incident.returned"],
            "helpdesk.incident.dashboard": self.env[
                "helpdesk.incident.dashboard"
            ].browse(self.company.id),
            "helpdesk.incident.recurring": self.env["helpdesk.incident.recurring"]
            .sudo()
            .search([("subscription_id", "=", sub.id)], limit=1),
            "helpdesk.incident.topup": self.topup,
            "helpdesk.incident.unearned": self.env["helpdesk.incident.unearned"]
            .sudo()
            .search([("partner_id", "=", self.customer.id)], limit=1),
            "helpdesk.incident.unearned.month": self.env[
                "helpdesk.incident.unearned.month"
            ]
            .sudo()
            .search([], limit=1),
            "helpdesk.incident.unearned.part": self.env[
                "helpdesk.incident.unearned.part"
            ]
            .sudo()
            .search([], limit=1),
            "helpdesk.incident.used": self.env["helpdesk.incident.used"]
            .sudo()
            .search([("partner_id", "=", self.customer.id)], limit=1),
            "helpdesk.incident.customer.balance": self.env[
                "helpdesk.incident.customer.balance"
            ]
            .sudo()
            .search([("partner_id", "=", self.customer.id)], limit=1),
            "helpdesk.ticket": self.secret_ticket,
            "helpdesk.ticket.charge": self.charge,
            "helpdesk.ticket.outcome": self.env["helpdesk.ticket.outcome"]
            .sudo()
            .create({"name": "Defect of ours", "company_id": self.company.id}),
            "helpdesk.ticket.team": self.team,
            "helpdesk.ticket.team.rule": self.env["helpdesk.ticket.team.rule"]
            .sudo()
            .create({"team_id": self.team.id}),
            "mail.mail": self.env["mail.mail"].sudo().create({"body_html": SECRET}),
            "mail.message": self.secret_ticket.sudo().message_ids[-1:],
            "mail.template": self.env.ref("sale.email_template_edi_sale"),
            "payment.transaction": orders.transaction_ids[:1],
            "product.product": self.months,
            "product.template": self.months.product_tmpl_id,
            "res.partner": self.customer,
            "res.users": self.user,
            "sale.order": orders[:1],
            "sale.order.line": orders.order_line[:1],
        }

    def arguments(self, model, method, records):
        """Return what a method is called with.

        :rtype: list
        """
        new = {
            "account.move": {"move_type": "out_invoice"},
            "account.payment": {"amount": 1, "partner_id": self.customer.id},
            "helpdesk.ticket": {
                "name": "New",
                "description": "New",
                "partner_id": self.user.partner_id.id,
            },
            "helpdesk.ticket.charge": {
                "ticket_id": self.secret_ticket.id,
                "name": "More",
                "amount": 5,
            },
            "helpdesk.ticket.proposal": {
                "ticket_id": self.secret_ticket.id,
                "kind": "incidents",
                "quantity": 1,
                "name": "More",
            },
            "helpdesk.ticket.team.rule": {"team_id": self.team.id},
            "sale.order": {"partner_id": self.customer.id},
            "sale.order.line": {"product_id": self.pack.id},
            "res.users": {"name": "New", "login": "new"},
            "payment.transaction": {
                "provider_id": self.demo.id,
                "payment_method_id": self.demo.payment_method_ids[:1].id,
                "amount": 1,
                "currency_id": self.company.currency_id.id,
                "partner_id": self.customer.id,
            },
            "account.partial.reconcile": {
                "amount": 0,
                "debit_amount_currency": 0,
                "credit_amount_currency": 0,
                "debit_move_id": records["account.move.line"].id,
                "credit_move_id": records["account.move.line"].id,
            },
        }
        written = {
            "account.move": {"ref": "x"},
            "account.payment": {"memo": "x"},
            "helpdesk.incident.account": {"lifetime_granted": 50},
            "helpdesk.ticket.charge": {"amount": 1},
            "helpdesk.ticket.team.rule": {"incident_cost": 0},
            "payment.transaction": {"reference": "x"},
            "res.partner": {"incident_lifetime_granted": 50},
            "res.users": {"active": False},
            "sale.order": {"client_order_ref": "x"},
        }
        mail = {"subject": "x", "body": "x", "email_from": "n@example.com"}
        given = {
            "action_open_dashboard": [],
            "create": [new.get(model, {"name": "x"})],
            "default_get": [["name"]],
            "export_data": [records[model].ids, ["body"]],
            "find_or_create": ["n@example.com"],
            "get_empty_list_help": ["x"],
            "get_import_templates": [],
            "load": [["reference"], [["x"]]],
            "message_new": [mail],
        }
        more = {
            "message_subscribe": [self.other_user.partner_id.ids],
            "send_mail": [records["sale.order"].id],
            "send_mail_batch": [records["sale.order"].ids],
            "write": [written.get(model, {"name": "x"})],
        }
        if method in given:
            return given[method]
        return [records[model].ids, *more.get(method, [])]

    def public_methods(self):
        """Return the methods that this module defines or overrides and that can be
        called over RPC, as ``model.method``.

        :rtype: set[str]
        """
        prefix = f"odoo.addons.{MODULE}."
        return {
            f"{name}.{method}"
            for name, model in self.env.registry.items()
            for cls in model.mro()
            if cls.__module__.startswith(prefix)
            and (cls._name not in EVERYWHERE or cls._name == name)
            for method, function in vars(cls).items()
            if callable(function)
            and not isinstance(function, type)
            and not method.startswith("_")
            and not any(
                getattr(vars(base).get(method), "_api_private", False)
                for base in model.mro()
            )
        }

    def test_every_method_is_listed(self):
        """R14: whoever adds a public method says who may call it, or gives it an
        underscore."""
        listed = {
            *METHODS,
            *(f"{n}.{method}" for n, ms in EVERYWHERE.items() for method in ms),
        }
        self.assertEqual(self.public_methods(), listed)

    def test_methods(self):
        """R14, R11.6: as each role, on the records of a customer."""
        records = self.records()
        arguments = {
            name: self.arguments(*name.rpartition(".")[::2], records)
            for name in METHODS | INHERITED
        }
        for column, role in enumerate(COLUMNS):
            self.act_as(role)
            for name, row in (METHODS | INHERITED).items():
                model, _dot, method = name.rpartition(".")
                with self.subTest(role=role, name=name), self.undone():
                    with self.assertNoFault():
                        _result, error = self.rpc(model, method, *arguments[name])
                    self.assertEqual(SIGNS.get(error, error), row[column])
                    if not error and (name, role) not in CHANGES:
                        self.assertUntouched()

    def test_public(self):
        """R14: without a login there is no RPC, and no right to call anything."""
        self.act_as("public")
        self.assertEqual(
            self.rpc("helpdesk.ticket", "read", [1])[1], "SessionExpiredException"
        )
        records = self.records()
        public = self.env.ref("base.public_user")
        for name, row in METHODS.items():
            model, _dot, method = name.rpartition(".")
            arguments = self.arguments(model, method, records)
            with self.subTest(name=name), self.undone():
                try:
                    call_kw(self.env[model].with_user(public), method, arguments, {})
                except UserError:
                    continue
                # What tells and does nothing answers everybody.
                self.assertEqual(row, "+++++")
                self.assertUntouched()

    # -- mass assignment -------------------------------------------------------------

    def other_value(self, field, record):
        """Return a value over RPC that differs from what a field has."""
        value = record[field.name]
        if field.type == "boolean":
            return not value
        if isinstance(field, DayList):
            return "21, 5"
        if field.type in ("integer", "float", "monetary", "many2one_reference"):
            return (value or 0) + 3
        if field.type in ("one2many", "many2many"):
            return [(5, 0, 0)]
        if field.type == "selection":
            keys = field.get_values(self.env)
            return next((key for key in keys if key != value), value)
        if field.type == "many2one":
            others = self.env[field.comodel_name].sudo().with_context(active_test=False)
            return others.search([("id", "!=", value.id)], limit=1).id
        return "2031-01-31"

    def written_fields(self):
        """Yield a record of the customer, or of the company, and the fields of this
        module that a request could name."""
        records = {
            **self.records(),
            "helpdesk.incident.reminder": self.env["helpdesk.incident.reminder"]
            .sudo()
            .search([], limit=1),
            "helpdesk.incident.subscription.term": self.sub.term_ids[:1],
            "product.product": self.months,
            "res.company": self.company,
        }
        for name, fields in self.own_fields().items():
            record = records.get(name)
            if record and not record._transient and record._auto:
                yield (
                    record.sudo(),
                    [field for field in fields if field.name not in LOG_ACCESS_COLUMNS],
                )

    def test_write(self):
        """R14, R3.1: each field of this module, as who may do most things."""
        attempts = [
            (record, field.name, record[field.name], self.other_value(field, record))
            for record, fields in self.written_fields()
            for field in fields
        ]
        for role in STRONG:
            self.act_as(role)
            written = set()
            for record, field, before, value in attempts:
                name = f"{record._name}.{field}"
                with self.subTest(role=role, field=name), self.undone():
                    with self.assertNoFault():
                        _result, error = self.rpc(
                            record._name, "write", record.ids, {field: value}
                        )
                    self.assertIn(error, SIGNS)
                    if error:
                        continue
                    self.env.invalidate_all()
                    if record[field] != before:
                        written.add(name)
                    if name not in WRITABLE:
                        self.assertUntouched()
            expected = {name for name, roles in WRITABLE.items() if role in roles}
            self.assertEqual(written, expected, role)

    def test_strangers_learn_nothing_and_lock_nothing(self):
        """R11.6, R3.6: whoever may not write, or delete, a document is told nothing of
        it, whichever field it is, and nobody waits for them."""

        def lock(_model, _condition):
            raise AssertionError("an account is locked")

        self.company.write({"incident_topup_amount": 10, "incident_topup_quantity": 1})
        counted = {"account.payment": self.pay(100)}
        self.before = self.state()
        records = {name: r for name, r in self.records().items() if name in WRITTEN}
        records |= counted
        self.assertEqual(len(records), len(WRITTEN))
        attempts = [
            (record, "write", {field.name: self.other_value(field, record.sudo())})
            for record in records.values()
            for field in record._fields.values()
            if field.store and field.name not in MAGIC_COLUMNS
        ]
        attempts += [(record, "unlink", None) for record in records.values()]
        for role in ("foreign", "elsewhere"):
            user = self.users[role]
            for record, method, values in attempts:
                arguments = [dict(values)] if values else []
                with (
                    self.subTest(role=role, model=record._name, values=values),
                    patch.object(type(self.account_model), "_remember_for_retry", lock),
                    self.assertRaises(UserError) as refusal,
                ):
                    getattr(record.with_user(user), method)(*arguments)
                self.assertNotIn(SECRET, str(refusal.exception))
        self.assertUntouched()

    def test_create(self):
        """R14, R8.7: nobody makes a document that remembers what it has not given: by
        its values, or by defaults in the context."""
        self.act_as("clerk")
        for name, values in self.new_documents().items():
            model = self.env[name].sudo()
            fields = [
                field
                for field in self.own_fields()[name]
                if f"{name}.{field.name}" not in WRITABLE
            ]
            others = {
                field.name: self.other_value(field, model.new({})) for field in fields
            }
            with self.undone():
                plain = self.content(model, fields, values)
            self.assertTrue(plain, name)
            for field, value in others.items():
                with self.subTest(field=f"{name}.{field}"), self.undone():
                    content = self.content(model, fields, {**values, field: value})
                    self.assertIn(content, (None, plain))
            context = {f"default_{field}": value for field, value in others.items()}
            with self.subTest(model=name), self.undone():
                content = self.content(model, fields, values, context=context)
                self.assertIn(content, (None, plain))

    def new_documents(self):
        return {
            "account.move": {
                "move_type": "out_invoice",
                "partner_id": self.other_customer.id,
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 1})],
            },
            "account.payment": {
                "amount": 1,
                "partner_id": self.other_customer.id,
                "payment_type": "inbound",
                "partner_type": "customer",
                "journal_id": self.bank.id,
            },
            "helpdesk.ticket": {
                "name": "New",
                "description": "New",
                "company_id": self.company.id,
                "partner_id": self.other_customer.id,
            },
            "res.partner": {"name": "New"},
            "sale.order": {"partner_id": self.other_customer.id},
            "sale.order.line": {
                "order_id": self.waiting.id,
                "product_id": self.pack.id,
            },
        }

    def content(self, model, fields, values, context=None):
        """Create a record over RPC, and return what its fields have; None if that was
        refused."""
        with self.assertNoFault():
            result, error = self.rpc(
                model._name, "create", values, context=context or {}
            )
        self.assertIn(error, SIGNS)
        if error:
            return None
        self.env.invalidate_all()
        record = model.browse(result)
        return {
            field.name: bool(record[field.name])
            if field.relational
            else record[field.name]
            for field in fields
        }

    def test_commands(self):
        """R3.1, R10.4: nor by way of the documents that show them, whoever it is."""
        self.act_as("boss")
        foreign = self.incident_account(self.other_customer)
        foreign._adjust(1, "Another one")
        before = foreign._statement_count()
        closed = self.own_models()
        for record, fields in self.written_fields():
            for field in fields:
                if field.type != "one2many" or field.comodel_name not in closed:
                    continue
                if f"{record._name}.{field.name}" in WRITABLE:
                    continue  # settings
                lines = record[field.name]
                other = closed[field.comodel_name].search(
                    [("id", "not in", lines.ids)], limit=1
                )
                for command in (
                    (0, 0, {"name": "x"}),
                    *((1, line, {"name": "x"}) for line in lines[:1].ids),
                    *((2, line, 0) for line in lines[:1].ids),
                    *((3, line, 0) for line in lines[:1].ids),
                    *((4, line, 0) for line in other.ids),
                    *((5, 0, 0) for _line in lines[:1]),
                    (6, 0, other.ids),
                ):
                    with (
                        self.subTest(field=str(field), command=command),
                        self.undone(),
                        self.assertNoFault(),
                    ):
                        values = {field.name: [command]}
                        self.rpc(record._name, "write", record.ids, values)
                        self.assertUntouched()
                        self.assertEqual(record[field.name], lines)
                        self.assertEqual(foreign._statement_count(), before)

    # -- contexts ----------------------------------------------------------------------

    def test_context_opens_nothing(self):
        """R3.1, R10.4: what this module writes with is no key of a request."""
        self.act_as("boss")
        for key in (True, 1, "x", [], {"ids": self.money.ids}):
            context = dict.fromkeys(
                (
                    "incident_protected",
                    "ticket_charging",
                    "incident_at_submission",
                    "incident_arrived",
                    "incident_leaving",
                ),
                key,
            )
            for model, method, *arguments in (
                (
                    "sale.order.line",
                    "write",
                    self.waiting.order_line[:1].ids,
                    {"incident_due": 9},
                ),
                ("account.payment", "write", self.money.ids, {"incident_seen": "2027"}),
                (
                    "account.move",
                    "write",
                    self.charge.invoice_ids.ids,
                    {"ticket_charge_id": False},
                ),
                (
                    "helpdesk.ticket.charge",
                    "create",
                    {
                        "ticket_id": self.secret_ticket.id,
                        "name": "x",
                        "amount": 1,
                        "company_id": self.company.id,
                        "partner_id": self.customer.id,
                        "date": "2027-04-11",
                        "currency_id": self.company.currency_id.id,
                    },
                ),
                (
                    "helpdesk.ticket",
                    "write",
                    self.parked.ids,
                    {"incident_parking": "waived"},
                ),
            ):
                with self.subTest(model=model, key=key), self.undone():
                    with self.assertNoFault():
                        _result, error = self.rpc(
                            model, method, *arguments, context=context
                        )
                    self.assertIn(error, ("UserError", "AccessError"))
            # A payment that is leaving counts no more: not by a word of a request.
            with self.undone():
                self.rpc(
                    "account.payment",
                    "write",
                    self.money.ids,
                    {"memo": "x"},
                    context=context,
                )
                self.assertUntouched()

    def test_strange_contexts(self):
        """R14: a context that names what there is not is no fault of the server."""
        strange = ("no.model", "", 1, [], {}, "9999-12-31", "2026-02-30", None)
        calls = {
            ("helpdesk.incident.adjust", "default_get"): (
                [["partner_ids"]],
                ("active_model", "active_ids"),
            ),
            ("helpdesk.incident.unearned", "search"): ([[]], ("unearned_date",)),
            ("helpdesk.incident.unearned.month", "search"): (
                [[]],
                ("unearned_date", "unearned_from"),
            ),
            ("helpdesk.incident.dashboard", "action_open_number"): (
                [self.env.company.root_id.ids],
                ("incident_number",),
            ),
            ("helpdesk.incident.used", "search"): (
                [[]],
                ("unearned_date", "incident_allotment_ids"),
            ),
        }
        self.act_as("boss")
        for (model, method), (arguments, keys) in calls.items():
            for key in keys:
                for value in strange:
                    with (
                        self.subTest(model=model, key=key, value=value),
                        self.assertNoFault(),
                    ):
                        self.rpc(model, method, *arguments, context={key: value})
