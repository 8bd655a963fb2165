from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import format_date

from odoo.addons.helpdesk_mgmt.controllers.myaccount import CustomerPortalHelpdesk

from .parse import MAX_PAGE, moment, whole_number, words


class PaidSupportPortal(CustomerPortalHelpdesk):
    """The customer's pages (R11.4, R11.5). No page takes the id of an account: each
    shows that of the logged-in user's customer (R11.6)."""

    def _prepare_home_portal_values(self, counters):
        """Override to add the numbers of the account to the home page (R11.5)."""
        values = super()._prepare_home_portal_values(counters)
        if not counters:
            account = self._incident_account_if_offered()
            values["incident_account"] = account
            values["incident_attention"] = account is not None and self._attention(
                account
            )
        return values

    def _attention(self, account):
        """Return what of the customer's support needs attention, in words.

        :rtype: list[str]
        """
        env = request.env
        customer = env.user.partner_id.sudo().commercial_partner_id
        waiting, in_part = customer._incident_orders_to_pay(env.company)
        subscriptions = account._shown_subscriptions()
        renew = self._subscriptions_to_renew(
            subscriptions, self._actions_of(subscriptions)
        )
        words = []
        if parked := len(account._parked()):
            words.append(env._("Tickets that wait: %(number)s", number=parked))
        asked = env["helpdesk.ticket.proposal"]._open(
            Domain("partner_id.commercial_partner_id", "=", customer.id)
        )
        asked = asked.filtered(lambda proposal: proposal._state_now() == "open")
        if asked:
            words.append(
                env._("Questions about tickets: %(number)s", number=len(asked))
            )
        if orders := waiting | in_part:
            words.append(env._("Orders to pay: %(number)s", number=len(orders)))
        if renew:
            words.append(env._("Subscriptions to renew: %(number)s", number=len(renew)))
        if account._topup()._needs_customer():
            words.append(env._("Your support incidents could not be topped up"))
        return words

    def _incident_account_if_offered(self):
        """Return the account of the logged-in user's customer, empty if there is none;
        None if the company does not offer paid support."""
        account = request.env["helpdesk.incident.account"]._mine()
        teams = request.env["helpdesk.ticket.team"].sudo()
        offered = account or teams.search_count(
            [
                ("incident_required", "=", True),
                ("show_in_portal", "=", True),
                ("company_id", "=", request.env.company.id),
            ],
            limit=1,
        )
        return account if offered else None

    @http.route()
    def portal_my_tickets(self, page=1, **kw):
        """Override to add the number of incidents to the list of tickets (R11.5), and
        to show the whole list if the request asks for something that does not exist."""
        response = super().portal_my_tickets(
            page=whole_number(page, MAX_PAGE) or 1, **self._known_ticket_filters(kw)
        )
        if response.is_qweb:
            account = self._incident_account_if_offered()
            response.qcontext["incident_account"] = account
            listed = request.env["helpdesk.ticket"].union(
                *response.qcontext["grouped_tickets"]
            )
            response.qcontext["incident_parked"] = listed._incident_parked_of(
                request.env.user
            )
        return response

    def _known_ticket_filters(self, asked):
        """Return those arguments of a request that the list of tickets can be sorted
        and filtered by.

        :param dict asked: the arguments of an address; nothing in them can be trusted.
        :rtype: dict[str, str]
        """
        stages = request.env["helpdesk.ticket.stage"].search([])
        known = {
            "sortby": self._ticket_get_searchbar_sortings(),
            "groupby": self._ticket_get_searchbar_groupby(),
            "search_in": self._ticket_get_searchbar_inputs(),
            "filterby": {"all", *map(str, stages.ids)},
        }
        filters = {**asked, "search": words(asked.get("search"))}
        for name, choices in known.items():
            if filters.get(name) not in choices:
                filters.pop(name, None)
        for name in ("date_begin", "date_end"):
            if not moment(filters.get(name)):
                filters.pop(name, None)
        return filters

    def _ticket_get_page_view_values(self, ticket, access_token, **kwargs):
        """Override to show a ticket's incidents to its own customer alone (R11.6)."""
        values = super()._ticket_get_page_view_values(ticket, access_token, **kwargs)
        values.update(self._continued_values(ticket))
        if ticket._incident_is_own(request.env.user):
            values["incident_count"] = ticket.incident_count
            values["incident_short"] = ticket.incident_short
            values["incident_outcome"] = (
                ticket.incident_is_free and ticket.incident_outcome_id.name
            )
            values["incident_contests"] = ticket.incident_contest_ids
            values["incident_contestable"] = ticket._incident_contestable()
            values["incident_contested"] = request.params.get("contested")
            values["incident_account"] = ticket._incident_account()
            values["incident_parked"] = ticket.incident_parking == "parked"
            values["incident_proposals"] = ticket._incident_proposals_of(
                request.env.user
            )
            values["incident_answered"] = request.params.get("answered")
            values["incident_withdrawn"] = request.params.get("withdrawn")
            # The page to buy sells only plans of the company of the page (R2.3).
            company = request.env.company
            values["can_buy"] = ticket.company_id._incident_is_one_with(
                company
            ) and request.env["sale.order"]._incident_can_buy(
                request.env.user.partner_id, company
            )
        values.update(self._charges_of_user(ticket))
        values["overages"] = self._overages_of_user(ticket)
        return values

    def _continued_values(self, ticket):
        """Return what the page of a ticket says of the tickets before and after it, as
        values of a page: each user sees those of the own customer (R11.3, R11.6)."""
        user = request.env.user

        def own(tickets):
            return tickets.sudo().filtered(lambda other: other._incident_is_own(user))

        is_own = ticket._incident_is_own(user)
        last = ticket._incident_last(user.partner_id, user.email) if is_own else ticket
        return {
            "incident_previous": own(ticket.sudo().incident_previous_id),
            "incident_next": own(ticket.sudo().incident_next_ids),
            # Nobody writes here any more.
            "incident_past": ticket._incident_closed_long_ago()
            and self._day_words(ticket.sudo()._incident_closed_on()),
            # Where the customer goes on: in an open ticket, or after this one.
            "incident_last": own(last),
            "incident_last_past": last._incident_closed_long_ago(),
        }

    def _charges_of_user(self, ticket):
        """Return what the customer of the logged-in user was charged in a ticket, and
        the total if there is one: the ticket may have been another customer's (R11.6).
        """
        customer = request.env.user.sudo().commercial_partner_id
        charges = ticket._charges_shown().filtered(
            lambda charge: charge.partner_id.commercial_partner_id == customer
        )
        currency = charges.currency_id
        return {
            "charges": charges.sorted("id"),
            "charge_currency": currency,
            "charge_total": (
                sum(charges.mapped("amount_total"))
                if len(charges) > 1 and len(currency) == 1
                else None
            ),
        }

    def _overages_of_user(self, ticket):
        """Return the orders that the customer of the logged-in user pays later for this
        ticket (R18.1): the ticket may have been another customer's (R11.6)."""
        customer = request.env.user.sudo().commercial_partner_id
        return ticket._incident_overages().filtered(
            lambda order: order.partner_id.commercial_partner_id == customer
        )

    @http.route("/my/incidents", type="http", auth="user", website=True)
    def portal_my_incidents(self, **kw):
        """Show what is left, what comes next, what can be done, and the last
        changes."""
        account = request.env["helpdesk.incident.account"]._mine()
        account._catch_up()
        company = request.env.company
        customer = request.env.user.partner_id.sudo().commercial_partner_id
        subscriptions = account._shown_subscriptions()
        ahead = account._ahead()
        available, overdrawn = account._on_hand(ahead)
        windows = account._windows(ahead)
        actions = self._actions_of(subscriptions)
        open_orders, in_part = customer._incident_orders_to_pay(company)
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "incidents",
            "account": account,
            "available": available,
            "overdrawn": overdrawn,
            "windows": windows,
            "again": windows._buy_again(company),
            "outlook": account._outlook(ahead),
            "history": account._history(ahead),
            "month": account._history_words,
            "subscriptions": subscriptions,
            "to_renew": self._subscriptions_to_renew(subscriptions, actions),
            "actions": actions,
            "open_orders": open_orders,
            "orders_in_part": in_part,
            "parked": account._parked(),
            **self._statement_lines(account, limit=5),
            "validity": request.env["helpdesk.incident.allotment"]._validity,
            "day": self._day_words,
            **customer._incident_portal_money(company),
            "can_buy": request.env["sale.order"]._incident_can_buy(
                request.env.user.partner_id, company
            ),
            **self._payment_news(
                account, customer, kw.get("order_id"), kw.get("tx_id")
            ),
            "funds_offers": account._topup_offers(company),
            **self._later_values(customer, company),
            **self._topup_values(account),
        }
        return request.render("helpdesk_paid_support.portal_my_incidents", values)

    def _payment_news(self, account, customer, order_id=None, tx_id=None):
        """Return what the payment that the customer comes from has done, as values of a
        page.

        :param str order_id: the order that was paid, as the request names it.
        :param str tx_id: the transaction that added funds, as the request names it.
        """
        order = self._browse_own("sale.order", order_id, customer)
        funds = self._browse_own("payment.transaction", tx_id, customer)
        payments = (order.transaction_ids | funds)._incident_payments()
        return {
            "account": account,
            "paid_order": order,
            "paid_funds": funds,
            "arrived": account._arrived(payments, order),
            "settled": funds._incident_payments()._incident_settled_invoices(),
            # R9.7: who has just saved a payment method may want it to be used.
            "could_renew": account._could_renew_by_itself(
                order._incident_subscriptions() | order._incident_renewed()
            )
            if order.transaction_ids.token_id
            else [],
        }

    def _statement_lines(self, account, *which, **limits):
        """Return the entries that a statement lists, what they are called, and what
        they lead to, as values of a page."""
        lines = account._statement(*which, **limits)
        documents = account._statement_documents(lines)
        contests, contestable = self._contests(lines)
        return {
            "lines": lines,
            "word": account._statement_word,
            "document": lambda line: documents.get((line.res_model, line.res_id)),
            "contest": lambda line: contests.get(line.id),
            "contestable": lambda line: line.id in contestable,
            "signed": lambda number: f"{number:+d}".replace("-", "\N{MINUS SIGN}"),
        }

    def _contests(self, lines):
        """Return what the customer has contested of these lines of the statement, by
        the id of the entry, and the ids of those that can be contested (R17.4)."""
        tickets = (
            request.env["helpdesk.ticket"]
            .sudo()
            .browse(
                {
                    line.res_id
                    for line in lines
                    if line.kind == "deduction" and line.res_model == "helpdesk.ticket"
                }
            )
        )
        contests = request.env["helpdesk.incident.contest"].sudo()
        found = contests.search([("entry_id", "in", [line.id for line in lines])])
        return (
            {contest.entry_id.id: contest for contest in found},
            set(tickets.exists()._incident_contestable().values()),
        )

    def _day_words(self, value):
        return format_date(request.env, value, date_format="medium")

    def _actions_of(self, subscriptions):
        return {
            subscription: subscription._portal_actions()
            for subscription in subscriptions
        }

    def _subscriptions_to_renew(self, subscriptions, actions):
        """Return the subscriptions that the customer should renew here (R9.5): they
        have ended, or end soon and are not renewed automatically.

        :param dict actions: what :meth:`_portal_actions` says of each.
        """
        soon = request.env.company._incident_soon()
        return subscriptions.filtered(
            lambda subscription: (
                "renew" in actions[subscription]
                and subscription.date_end <= soon
                and (
                    subscription.state == "ended"
                    or not subscription.auto_renew
                    or subscription.renewal_problem
                )
            )
        )

    def _browse_own(self, model_name, record_id, customer):
        """Return the document that the customer comes from, if it is the customer's."""
        record = request.env[model_name].sudo().browse(whole_number(record_id)).exists()
        own = record.partner_id.commercial_partner_id == customer
        return record if own else record.browse()
