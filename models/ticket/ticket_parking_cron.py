"""Tickets that wait are released, or closed, by a scheduled action (R13.1, R13.3)."""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    @api.model
    def _incident_trigger_parked(self):
        """Let the scheduled action run soon, if there is one."""
        cron = self.env.ref(
            "helpdesk_paid_support.ir_cron_incident_parked", raise_if_not_found=False
        )
        if cron:
            cron.sudo()._trigger()

    @api.model
    def _cron_parked(self):
        """Close what has waited for too long, and release what can be released by now
        (R13.1, R13.3). Each account and each ticket is a transaction: it is safe to run
        twice, at once, and to be killed; what is left is reported."""
        work = self.sudo()._incident_cron_steps()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(work))
        for step in work:
            try:
                with self.env.cr.savepoint():
                    step()
            except (OperationalError, ConcurrencyError):
                # Somebody else is at it: the next run will see.
                self.env.cr.rollback()
            except Exception:
                _logger.exception("A ticket that waits could not be looked at")
            if not cron._commit_progress(1):
                return

    @api.model
    def _incident_cron_steps(self):
        """Return what is to be done by now, each in a transaction: methods that can be
        called twice."""
        return [
            *(ticket._incident_give_up for ticket in self._incident_overdue()),
            *(account._release for account in self._incident_accounts_to_release()),
        ]

    def _incident_closes_on(self):
        """Return the day on which this ticket is closed if it still waits then (R13.3).

        :rtype: date | None
        """
        self.ensure_one()
        ticket = self.sudo()
        days = ticket.company_id.incident_parked_close_days
        if ticket.incident_parking != "parked" or not ticket.incident_parked_date:
            return None
        return ticket.incident_parked_date + timedelta(days=days) if days else None

    @api.model
    def _incident_overdue(self):
        """Return what has waited for as long as the company says (R13.3). Tickets of
        unknown senders wait for staff, and have no such day."""
        return self.search(
            Domain("incident_parking", "=", "parked")
            & Domain.OR(
                Domain("company_id", "=", company.id)
                & Domain(
                    "incident_parked_date",
                    "<=",
                    company._incident_today()
                    - timedelta(days=company.incident_parked_close_days),
                )
                for company in self.env["res.company"].sudo().search(Domain.TRUE)
                if company.incident_parked_close_days
            ),
            order="id",
        )

    @api.model
    def _incident_accounts_to_release(self):
        """Return the accounts at which something can be done: an e-mail that could not
        be looked at yet, a ticket for which there are enough incidents by now, or one
        that is short where there are any."""
        account_model = self.env["helpdesk.incident.account"]
        parked = self.with_context(active_test=False).search(
            Domain("incident_parking", "=", "parked")
            | Domain("incident_short", ">", 0),
            order="id",
        )
        holders = {ticket: account_model._holder_of(ticket) for ticket in parked}
        # Whoever wrote by e-mail may have no account yet.
        accounts = account_model._get_or_create(filter(all, holders.values()))
        numbers = account_model.union(*accounts.values())._numbers()
        available = {
            holder: numbers.get(account.id, {}).get("available") or 0
            for holder, account in accounts.items()
        }
        # Once, whichever branches the tickets are of (R2.3).
        return list(
            dict.fromkeys(
                accounts[holder]
                for ticket, holder in holders.items()
                if holder in accounts
                and (
                    available[holder] > 0
                    if ticket.incident_short
                    else not ticket.incident_parked_date
                    or ticket._incident_required() <= available[holder]
                )
            )
        )
