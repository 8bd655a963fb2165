"""Incidents for funds added (R6.3): the funds that an account carries."""

from collections import defaultdict
from dataclasses import dataclass

from odoo import api, fields, models
from odoo.tools import SQL, float_round, formatLang

from .helpdesk_incident_account import Cause


@dataclass(frozen=True)
class Funds:
    """An amount of money that counts, or counts no more (R6.3)."""

    #: the ``helpdesk.incident.account`` to which it counts
    account: models.BaseModel
    #: the key of the cause that gives the incidents
    key: str
    #: in company currency, below zero when it counts no more
    amount: float
    #: *Amount* and *N* of R6.3 that go with it
    step: float
    number: int
    name: str
    source: models.BaseModel | None = None


def count(total, carry, amount, step):
    """Count an amount of money towards the next incidents (R6.3, R6.5).

    The counted total never falls below zero: what was paid out beyond what came in
    does not count until it comes in again. That makes the result independent of the
    order of payments.

    :param int total: all that counted before, less what was paid out; units.
    :param int carry: what is left over of it; units.
    :param int amount: what counts now; units, below zero when it counts no more.
    :param int step: *Amount*; units.
    :return: the new total, the new carry, and how many steps were made.
    :rtype: tuple[int, int, int]
    """
    counted = max(total + amount, 0) - max(total, 0)
    steps, carry = divmod(carry + counted, step)
    return total + amount, carry, steps


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    currency_id = fields.Many2one(related="company_id.currency_id")
    topup_total = fields.Monetary(
        string="Funds counted",
        readonly=True,
        help="All payments that count towards incidents for funds added, less what "
        "was paid back.",
    )
    topup_carry = fields.Monetary(
        string="Funds carried over",
        readonly=True,
        help="What is left over of the funds added: it counts towards the next ones.",
    )
    topup_progress = fields.Char(
        string="Towards the next",
        compute="_compute_topup_progress",
        help="What the customer has added towards the next incidents.",
    )

    @api.depends("topup_carry", "company_id")
    @api.depends_context("lang")
    def _compute_topup_progress(self):
        for account in self:
            company = account.company_id.sudo()
            number = company.incident_topup_quantity
            account.topup_progress = (
                self.env._(
                    "%(carried)s of %(amount)s towards the next %(number)s incidents",
                    carried=account._format_money(account.topup_carry),
                    amount=account._format_money(company.incident_topup_amount),
                    number=number,
                )
                if number and company.incident_topup_amount
                else False
            )

    def _format_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    @api.model
    def _count_funds(self, funds):
        """Count money towards incidents, and return what it gives (R6.3).

        The caller holds the lock of the accounts, and settles the causes.

        :param list[Funds] funds: in the order in which they count.
        :return: what the causes should have given by now.
        :rtype: list[Cause]
        """
        accounts = self.union(*(each.account for each in funds)).sudo()
        accounts.invalidate_recordset(["topup_total", "topup_carry"], flush=False)
        units = {
            account: (
                account._units(account.topup_total),
                account._units(account.topup_carry),
            )
            for account in accounts
        }
        given = self._given({each.key for each in funds}) if funds else {}
        gives = defaultdict(int)
        last = {}
        for each in funds:
            account = each.account
            total, carry, steps = count(
                *units[account],
                account._units(each.amount),
                account._units(each.step),
            )
            units[account] = total, carry
            gives[each.key] += steps * each.number
            last[each.key] = each
        if funds:
            self._write_funds(units)
        return [
            Cause(
                account=each.account,
                key=key,
                target=given.get(key, 0) + gives[key],
                kind="topup",
                name=each.name,
                source=each.source,
            )
            for key, each in last.items()
        ]

    def _units(self, amount):
        """Return an amount in units of the currency's rounding, a whole number."""
        rounding = self.currency_id.rounding
        return int(float_round(amount / rounding, precision_digits=0))

    @api.model
    def _write_funds(self, units):
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_account a
                   SET topup_total = v.total, topup_carry = v.carry
                  FROM (VALUES %s) AS v(id, total, carry) WHERE a.id = v.id
                """,
                SQL(", ").join(
                    SQL(
                        "(%s, %s::numeric, %s::numeric)",
                        account.id,
                        account.currency_id.round(total * account.currency_id.rounding),
                        account.currency_id.round(carry * account.currency_id.rounding),
                    )
                    for account, (total, carry) in units.items()
                ),
            )
        )
        self._invalidate_balances()

    def _merge_references(self, others):
        """Override to take over the carried funds (R2.2). What they come to together
        is given at once, so that the total counts as one."""
        res = super()._merge_references(others)
        payments = self.env["account.payment"]
        payments.flush_model(["incident_account_id"])
        self.env.execute_query(
            SQL(
                "UPDATE account_payment SET incident_account_id = %s "
                "WHERE incident_account_id IN %s",
                self.id,
                tuple(others.ids),
            )
        )
        payments.invalidate_model(["incident_account_id"])
        company = self.company_id
        step, number = company.incident_topup_amount, company.incident_topup_quantity
        accounts = self | others
        accounts.invalidate_recordset(["topup_total", "topup_carry"], flush=False)
        totals = [account._units(account.topup_total) for account in accounts]
        carry = sum(account._units(account.topup_carry) for account in accounts)
        # Counted as one, what was paid out by the one counts against the other.
        carry += max(sum(totals), 0) - sum(max(total, 0) for total in totals)
        steps = 0
        if step and number:
            steps, carry = divmod(carry, self._units(step))
        self._write_funds({self: (sum(totals), carry)})
        if steps:
            key = f"merge:{self.id}:{'-'.join(map(str, sorted(others.ids)))}"
            self._settle(
                [
                    Cause(
                        account=self,
                        key=key,
                        target=steps * number,
                        kind="topup",
                        name=self._in_customer_language().env._(
                            "Funds added, of customers that were merged"
                        ),
                        source=self.partner_id,
                    )
                ]
            )
        return res
