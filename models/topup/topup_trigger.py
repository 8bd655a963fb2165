"""What makes topping up due (R19.1): tickets and lapses that leave fewer than wanted.
What is taken back never does."""

from odoo import api, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from ..ledger.helpdesk_incident_account import ENDED


class HelpdeskIncidentTopup(models.Model):
    _inherit = "helpdesk.incident.topup"

    @api.model_create_multi
    def create(self, vals_list):
        """Override: another account is topped up."""
        self._forget_accounts_on()
        return super().create(vals_list)

    def write(self, vals):
        """Override: other accounts may be topped up."""
        if {"account_id", "is_on"} & set(vals):
            self._forget_accounts_on()
        return super().write(vals)

    def unlink(self):
        """Override: fewer accounts are topped up."""
        self._forget_accounts_on()
        return super().unlink()

    @api.model
    def _forget_accounts_on(self):
        clear = self.env.registry.clear_cache
        clear()
        # Another thread may look before this is committed.
        self.env.cr.postcommit.add(clear)

    @api.model
    @tools.ormcache()
    def _accounts_on(self):
        """Return the ids of the accounts that are topped up: those of all others cost
        no query more.

        :rtype: frozenset[int]
        """
        topups = self.sudo().search_fetch([("is_on", "=", True)], ["account_id"])
        return frozenset(topups.account_id.ids)

    @api.model
    def _watching(self, account_ids):
        """Return the top-ups of these accounts that are not due yet.

        :param account_ids: ids, in a request that may have few rights.
        """
        on = self._accounts_on().intersection(account_ids)
        if not on:
            return self.sudo().browse()
        return self.sudo().search(
            Domain("account_id", "in", list(on))
            & Domain("is_on", "=", True)
            & Domain("due", "=", False)
        )

    def _note_used(self):
        """Note that something was used, or has lapsed: what has fewer than wanted by
        now is due, and the scheduled action runs after the commit."""
        numbers = self.account_id._numbers()
        low = self.filtered(
            lambda topup: (
                numbers.get(topup.account_id.id, {}).get("available", 0)
                < topup.threshold
            )
        )
        if low:
            low.due = True
            low._trigger()

    @api.model
    def _trigger(self):
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_top_up")
        cron.sudo()._trigger()


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _post_lines(self, values_list, is_new=False):
        """Override: what tickets take."""
        count = super()._post_lines(values_list, is_new)
        used = [
            values["account_id"]
            for values in values_list
            if values["kind"] == "deduction"
        ]
        if used:
            self.env["helpdesk.incident.topup"]._watching(used)._note_used()
        return count

    def _open_and_close(self, by_time=True):
        """Override: what lapses by itself."""
        watching = self.env["helpdesk.incident.topup"]
        if self and by_time:
            watching = watching._watching(self.ids)
        lapsing = watching.account_id._lapsing()
        count = super()._open_and_close(by_time)
        watching.filtered(lambda topup: topup.account_id in lapsing)._note_used()
        return count

    def _lapsing(self):
        """Return those of these accounts of which something has ended that is left."""
        if not self:
            return self
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT account.id FROM %s WHERE %s",
                self._allotments_today(),
                ENDED,
            )
        )
        return self.browse([account_id for (account_id,) in rows])


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    def _incident_provide(self, account):
        """Override: a ticket that lacks incidents would have used them."""
        self.env["helpdesk.incident.topup"]._watching(account.ids)._note_used()
        return super()._incident_provide(account)

    def _incident_note_short(self, missing):
        """Override: so would one that is short of them (R16.6)."""
        if missing > self.incident_short:
            account_ids = self._incident_account().ids
            self.env["helpdesk.incident.topup"]._watching(account_ids)._note_used()
        return super()._incident_note_short(missing)
