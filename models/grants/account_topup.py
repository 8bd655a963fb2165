"""Incidents for funds added (R6.3): what an account should have given for payments."""

from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, float_round, formatLang

#: For how many steps of *Amount* the client area offers to add funds at a click.
OFFERED_STEPS = (1, 2, 5)


class FundsOffer(NamedTuple):
    """What a customer gets for an amount of funds."""

    amount: float
    #: what it brings, beside the amount
    words: str
    #: the same as a sentence of its own
    sentence: str


def steps_made(groups):
    """Return how many steps of *Amount* the money of an account makes (R6.3, R6.5).

    Payments with the same *Amount* and *N* form a group: what is left over is carried
    to the next payment of the group. If more was paid back than the payments of a group
    add up to, the rest is taken from the other groups, in the order of their numbers,
    down to zero.

    So the result depends only on which payments count: not on their order, nor on what
    was undone and redone before.

    :param dict groups: by (step, number), the sum of the payments of the group less
        what was paid back; in units.
    :return: by (step, number), how many steps, and what is carried over.
    :rtype: dict[tuple, tuple]
    """
    paid_back = -sum(min(total, 0) for total in groups.values())
    result = {}
    for (step, number), total in sorted(groups.items()):
        total = max(total, 0)
        taken = min(total, paid_back)
        paid_back -= taken
        result[step, number] = divmod(total - taken, step)
    return result


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    currency_id = fields.Many2one(related="company_id.currency_id")
    topup_carry = fields.Monetary(
        string="Funds carried over",
        compute="_compute_topup",
        help="What is left over of the funds added: it counts towards the next ones.",
    )
    topup_progress = fields.Char(
        string="Towards the next",
        compute="_compute_topup",
        help="What the customer has added towards the next incidents.",
    )

    @api.depends_context("lang")
    def _compute_topup(self):
        funds = self._funds()
        for account in self:
            company = account.company_id.sudo()
            number = company.incident_topup_quantity
            step = account._units(company.incident_topup_amount)
            steps = steps_made(funds[account._origin.id])
            _steps, carry = steps.get((step, number), (0, 0))
            account.topup_carry = account._amount(carry)
            account.topup_progress = (
                self.env._(
                    "%(carried)s of %(amount)s towards the next %(number)s incidents",
                    carried=account._format_money(account.topup_carry),
                    amount=account._format_money(company.incident_topup_amount),
                    number=number,
                )
                if number and step
                else False
            )

    def _topup_offers(self, company):
        """Return what the customer of this account, which may be empty, gets for adding
        funds (R6.3).

        :param company: the ``res.company`` that is paid.
        :return: the least amount first; empty if it gives none, or if what was paid
            back has to be made up for before.
        :rtype: list[FundsOffer]
        """
        company = company.sudo()
        step, number = company.incident_topup_amount, company.incident_topup_quantity
        carry = 0
        if self and number > 0 and step > 0:
            funds, units = self._funds()[self.id], self._units(step)
            if any(total < 0 for total in funds.values()):
                return []
            carry = self._amount(funds.get((units, number), 0) % units)
        return [
            self._topup_offer(
                company, company.currency_id.round(steps * step - carry), steps * number
            )
            for steps in (OFFERED_STEPS if number > 0 and step > 0 else ())
        ]

    def _topup_offer(self, company, amount, number):
        env = self.env
        money = formatLang(env, amount, currency_obj=company.currency_id)
        if number == 1:
            return FundsOffer(
                amount,
                env._("1 incident free"),
                env._("Pay %(amount)s more and get 1 incident free", amount=money),
            )
        return FundsOffer(
            amount,
            env._("%(number)s incidents free", number=number),
            env._(
                "Pay %(amount)s more and get %(number)s incidents free",
                amount=money,
                number=number,
            ),
        )

    def _topup_targets(self, funds):
        """Return what this account should have given for funds added, by the keys of
        the causes.

        :param dict funds: what :func:`steps_made` takes.
        """
        return {
            f"topup:{self.id}:{step}:{number}": steps * number
            for (step, number), (steps, _carry) in steps_made(funds).items()
        }

    def _format_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _units(self, amount):
        """Return an amount in units of the currency's rounding, a whole number."""
        rounding = self.company_id.currency_id.rounding or 0.01
        return int(float_round(amount / rounding, precision_digits=0))

    def _amount(self, units):
        """Return units of the currency's rounding as an amount."""
        return self.currency_id.round(units * (self.currency_id.rounding or 0.01))

    def _funds(self):
        """Return the money that counts to each of these accounts at present.

        It is stored in the payments alone.

        :return: by the id of the account, what :func:`steps_made` takes.
        :rtype: dict[int, dict]
        """
        result = defaultdict(lambda: defaultdict(int))
        if not self.ids:
            return result
        payments = self.env["account.payment"]
        payments.flush_model(
            [
                "incident_account_id",
                "incident_topup_counted",
                "incident_topup_step",
                "incident_topup_number",
            ]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT incident_account_id, incident_topup_step, incident_topup_number,
                       SUM(incident_topup_counted)
                  FROM account_payment
                 WHERE incident_account_id IN %s AND incident_topup_number > 0
                   AND incident_topup_step > 0
                 GROUP BY 1, 2, 3
                """,
                tuple(self.ids),
            )
        )
        for account_id, step, number, total in rows:
            account = self.browse(account_id).with_prefetch(self._prefetch_ids)
            group = (account._units(float(step)), number)
            result[account_id][group] = account._units(float(total))
        return result

    @api.model
    def _references(self):
        """Override for R2.2: the payments of all merged accounts count to this one."""
        return [*super()._references(), ("account.payment", "incident_account_id")]

    def _merge_references(self, others):
        """Override for R2.2: what all merged accounts have given for funds added
        becomes one cause."""
        res = super()._merge_references(others)
        # What they have given together is one cause from now on.
        for other in others:
            self.env.execute_query(
                SQL(
                    """
                    UPDATE helpdesk_incident_entry e
                       SET cause_key = %(mine)s || substr(e.cause_key, %(length)s + 1),
                           cause_number = e.cause_number + COALESCE((
                               SELECT MAX(m.cause_number)
                                 FROM helpdesk_incident_entry m
                                WHERE m.cause_key = %(mine)s
                                      || substr(e.cause_key, %(length)s + 1)), 0)
                     WHERE e.account_id = %(account)s
                       AND starts_with(e.cause_key, %(theirs)s)
                    """,
                    mine=f"topup:{self.id}:",
                    theirs=f"topup:{other.id}:",
                    length=len(f"topup:{other.id}:"),
                    account=self.id,
                )
            )
        return res

    def _merge(self, others):
        """Override for R2.2, R6.3: what the accounts carried over may together make a
        step."""
        res = super()._merge(others)
        self._settle(
            self.env["account.payment"]._incident_topup_targets(
                self, self._funds()[self.id]
            )
        )
        return res
