"""What the next automatic renewal will take, and from what, as the customer is told
(R9.7). Nothing is written here."""

from datetime import timedelta

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    def _rhythm_words(self, number):
        """Return in words that each period has so many incidents (R15.2)."""
        env, period = self.env, self.period_months
        if period > 1 and number == 1:
            return env._("1 incident every %(period)s months", period=period)
        if period > 1:
            return env._(
                "%(number)s incidents every %(period)s months",
                number=number,
                period=period,
            )
        if number == 1:
            return env._("1 incident every month")
        return env._("%(number)s incidents every month", number=number)

    def _number_words(self, since=None):
        """Return how many incidents each period has, and how long they can be used.

        :param date since: the first day from which on it has so many, if that is not
            today.
        """
        self.ensure_one()
        env = self.env
        words = self._rhythm_words(self.incidents_per_period)
        if self.extra_incidents:
            words = env._(
                "%(incidents)s, and %(extra)s extra",
                incidents=words,
                extra=self.extra_incidents,
            )
        words = env["product.product"]._incident_carry_words(
            words, self.carry_periods * self.period_months
        )
        if not since:
            return words
        return env._(
            "%(number)s, from %(date)s on",
            number=words,
            date=format_date(env, since, date_format="medium"),
        )

    def _next_renewal_words(self, user):
        """Return when an automatic renewal takes how much from what; where it is
        switched off, what it would be.

        :param user: a user of the customer, who sees no payment method of a colleague.
        :return: sentences; empty if nothing can be said today: it cannot be renewed,
            or the last attempt did not succeed.
        :rtype: str
        """
        self.ensure_one()
        if not self._is_running() or self.renewal_problem:
            return ""
        try:
            offer = self._operation("renew").offer()
        except UserError:
            return ""
        values = {
            "day": format_date(
                self.env, self._next_renewal_day(), date_format="medium"
            ),
            "amount": formatLang(
                self.env, offer.amount_total, currency_obj=offer.currency_id
            ),
        }
        when = (
            self.env._("Renews on %(day)s for %(amount)s.", **values)
            if self.auto_renew
            else self.env._("It would renew on %(day)s for %(amount)s.", **values)
        )
        differences = self._differences(offer)
        how = (
            self.env._(
                "This is not what you have agreed to (%(what)s): we send you the "
                "order, and nothing is taken before you confirm it.",
                what="; ".join(differences),
            )
            if differences
            else self._next_source_words(offer, user)
        )
        return f"{when} {how}"

    def _next_renewal_day(self):
        """Return the day on which an automatic renewal is tried next."""
        today = self._today()
        tried = self.auto_renew and self.renewal_tried == today
        first = self.date_end - timedelta(days=self.company_id.incident_renewal_days)
        return max(first, today + timedelta(days=1 if tried else 0))

    def _next_source_words(self, offer, user):
        """Return what pays for a renewal, as a sentence.

        :param offer: the order, never saved.
        """
        from_balance = offer._incident_is_invoiced_to_customer()
        if offer._incident_grant_on() != "paid":
            return self._next_invoice_words(offer, from_balance)
        payers = self._payers()
        if not self.auto_renew:
            payers |= user.partner_id  # who switches it on agrees to it
        token = offer._incident_token(payers)
        if not token:
            return (
                self.env._(
                    "It is paid from your account balance. No payment method is saved: "
                    "where the balance does not suffice, we send you the order."
                )
                if from_balance
                else self.env._("No payment method is saved: we send you the order.")
            )
        if token.partner_id in user.partner_id | self.partner_id:
            values = {
                "kind": token.payment_method_id.name,
                "method": token.display_name,
            }
            return (
                self.env._(
                    "It is paid from your account balance, else with %(kind)s "
                    "%(method)s.",
                    **values,
                )
                if from_balance
                else self.env._("It is paid with %(kind)s %(method)s.", **values)
            )
        name = token.partner_id.name
        return (
            self.env._(
                "It is paid from your account balance, else with the saved payment "
                "method of %(name)s.",
                name=name,
            )
            if from_balance
            else self.env._(
                "It is paid with the saved payment method of %(name)s.", name=name
            )
        )

    def _next_invoice_words(self, offer, from_balance):
        """Return who pays later for a renewal that is given before it is paid (R8.11),
        as a sentence."""
        if from_balance:
            return self.env._(
                "It is paid from your account balance. Where the balance does not "
                "suffice, we send you the invoice, which you pay later."
            )
        return self.env._(
            "%(payer)s gets the invoice.",
            payer=offer.partner_invoice_id.commercial_partner_id.name,
        )


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _could_renew_by_itself(self, subscriptions=None):
        """Return the subscriptions whose customer could switch automatic renewal on.

        :param subscriptions: those to look at, by default all of this account.
        """
        wanted = self.subscription_ids if subscriptions is None else subscriptions
        return wanted.filtered(
            lambda subscription: (
                subscription._is_running()
                and not subscription.auto_renew
                and subscription._renewal_plans() & subscription._next_plan()
            )
        )
