"""What a change of a document would take back: tried out, and undone."""

from contextlib import closing
from typing import NamedTuple

from odoo import api, models


class Taken(NamedTuple):
    """What a customer would lose of one subscription, pack, or of all that has no
    end."""

    name: str
    #: incidents, and how many of them are used already
    taken: int
    used: int
    #: of how many periods nothing is left, of all that were paid for
    periods: int
    periods_before: int
    #: unused incidents afterwards, those of later periods included
    left: int
    #: the last day on which something of it can be used, None without an end
    date_to: object


class Stand(NamedTuple):
    """What an allotment is good for."""

    promised: int
    unused: int


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _try_out(self, document, method):
        """Return what customers would lose if a method of a document were called.

        It is called, as the user, in a transaction of its own that is undone: whatever
        decides what is paid and credited decides here. What is asked for only after a
        commit, as a mail, is never asked for.

        :param document: an ``account.move`` or ``account.payment``, saved.
        :raise UserError: what the method raises.
        :rtype: list[Taken]
        """
        with closing(self.env.registry.cursor()) as cr:
            document = document.with_env(document.env(cr=cr))
            accounts = self.with_env(document.env).sudo()
            found = accounts._find(document._incident_lost_holders())
            accounts = accounts.union(*found.values())
            before = accounts._stands()
            if not before:
                return []
            getattr(document, method)()
            document.env.flush_all()
            accounts.env.invalidate_all()
            taken = accounts._taken(before)
            cr.rollback()
        return taken

    def _stands(self):
        """Return what each allotment of these accounts is good for.

        :rtype: dict[int, Stand]
        """
        allotments = self.env["helpdesk.incident.allotment"].search(
            [("account_id", "in", self.ids)]
        )
        return {
            allotment.id: Stand(
                allotment.granted
                if allotment.kind == "lifetime"
                # What has lapsed cannot be lost again.
                else max(allotment.target - allotment.lapsed, 0),
                allotment.balance + allotment.to_grant,
            )
            for allotment in allotments
        }

    def _taken(self, before):
        """Return what is less than it was.

        :param dict before: what :meth:`_stands` has returned.
        :rtype: list[Taken]
        """
        allotments = self.env["helpdesk.incident.allotment"].browse(before)
        after = self._stands()
        rows = []
        # All periods of a subscription are one thing, all that has no end another.
        for members in allotments.grouped(lambda a: a.subscription_id or a).values():
            lost = members.filtered(
                lambda a: after[a.id].promised < before[a.id].promised
            )
            if not lost:
                continue
            taken = used = 0
            for allotment in lost:
                was, now = before[allotment.id], after[allotment.id]
                number = was.promised - now.promised
                taken += number
                used += number - (max(was.unused, 0) - max(now.unused, 0))
            kept = members.filtered(lambda a: after[a.id].promised)
            rows.append(
                Taken(
                    name=members[0]._trial_name(),
                    taken=taken,
                    used=used,
                    periods=len(lost - kept),
                    periods_before=len(
                        members.filtered(lambda a: before[a.id].promised)
                    ),
                    left=sum(after[a.id].unused for a in members),
                    date_to=max(filter(None, kept.mapped("date_to")), default=None),
                )
            )
        return rows


class HelpdeskIncidentAllotment(models.Model):
    _inherit = "helpdesk.incident.allotment"

    def _trial_name(self):
        """Return what a row of :class:`Taken` is about."""
        self.ensure_one()
        if self.kind == "lifetime":
            return self.env._("Lifetime incidents")
        return self.subscription_id.product_id.display_name or self.name


class AccountMove(models.Model):
    _inherit = "account.move"

    def _incident_lost_holders(self):
        """Return at whose accounts this document may take something back.

        :rtype: set[tuple[int, int]]
        """
        account_model = self.env["helpdesk.incident.account"]
        holders = account_model._holders_of(self.sudo())
        return holders | self._incident_affected_orders()._incident_holders()

    def action_post(self):
        """Override: on its form, a credit note says first what it takes back."""
        asked = self.env["helpdesk.incident.undo"]._ask(self, "action_post")
        unasked = self.with_context(incident_ask=False)
        return asked or super(AccountMove, unasked).action_post()

    def button_draft(self):
        """Override: on its form, an invoice says first what is taken back."""
        asked = self.env["helpdesk.incident.undo"]._ask(self, "button_draft")
        unasked = self.with_context(incident_ask=False)
        return asked or super(AccountMove, unasked).button_draft()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_lost_holders(self):
        """As of ``account.move``."""
        return (
            self._incident_holders()
            | self._incident_affected_orders()._incident_holders()
        )

    def action_draft(self):
        """Override: on its form, a payment says first what is taken back. Within, its
        journal entry asks nobody: what it would try out waits for the accounts that
        the payment has locked."""
        asked = self.env["helpdesk.incident.undo"]._ask(self, "action_draft")
        unasked = self.with_context(incident_ask=False)
        return asked or super(AccountPayment, unasked).action_draft()
