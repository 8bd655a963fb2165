from uuid import uuid4

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from ..models.charge.ticket_overage import Agreed
from ..models.ticket.ticket_form import SentForm
from .form import filled, sent_values
from .parse import typed, whole_number
from .ticket_notice import BUY, LATER, PaidSupportNoticeController

#: Fields of the form that no customer types into.
OWN = ("csrf_token", "incident_draft", "incident_files", "incident_form")
WORDS = ("subject", "description")
#: The field that names the closed ticket to which the new one refers.
PREVIOUS = "incident_previous"


class PaidSupportTicketController(PaidSupportNoticeController):
    """The new-ticket form of the portal (R11.1, R11.2)."""

    def _get_teams(self):
        """Override to offer paid teams to customers who have incidents, or can buy
        them (R11.1), now or to pay them later (R18.1)."""
        teams = super()._get_teams()
        account = request.env["helpdesk.incident.account"]._mine()
        if teams and account.available <= 0 and not self._can_buy():
            takes = self._takes(teams, {})
            teams = teams.filtered(
                lambda team: (
                    not takes[team]
                    or team._incident_may_take_nothing()
                    or self._later(account, team, {})
                )
            )
        return teams

    def _get_create_new_ticket_values(self, **kw):
        """Override to add what each paid team takes, and what was typed: now, or before
        it was kept."""
        values = super()._get_create_new_ticket_values(**kw)
        sent = "incident_form" in request.httprequest.form
        draft = self._draft(kw)
        form = {**(draft.form if draft and not sent else self._typed_form())}
        previous = self._previous(*form.pop(PREVIOUS, [])[:1])
        if not sent and not draft:
            form = {**self._previous_form(previous), **form}
        words = {name: texts[0] for name, texts in form.items() if texts}
        return {
            **values,
            **self._prepare_incident_notices(values["teams"], {**kw, **words}),
            "fill_form": lambda html: filled(html, form, sent or draft),
            "draft": draft,
            "files_lost": draft.has_files,
            "previous": previous,
            "previous_closed_on": previous
            and format_date(
                request.env, previous._incident_closed_on(), date_format="medium"
            ),
            "error": None,
            # One for each time that the form is shown (R4.7).
            "form_token": uuid4().hex,
        }

    @http.route()
    def submit_ticket(self, **kw):
        """Override: a ticket that cannot be submitted creates nothing, shows why, and
        keeps what was typed (R11.2)."""
        if request.httprequest.method != "POST":
            return request.redirect("/new/ticket")
        for name in WORDS:
            kw[name] = typed(kw.get(name))
        # A second request waits here, before the work, so that it need not be done
        # again (R3.6).
        account_model = request.env["helpdesk.incident.account"]
        account_model._lock_first(
            account_model._account_condition(
                request.env.user.partner_id, request.env.company
            )
        )
        form = self._sent_form(kw)
        ticket, is_same = request.env["helpdesk.ticket"]._incident_of_form(form)
        if is_same:
            return request.redirect(f"/my/ticket/{ticket.id}")
        error = self._submission_error(kw, ticket)
        team = self._browse("helpdesk.ticket.team", kw.get("team"))
        pack = transaction = agreed = None
        if not error:
            pack, transaction, error = self._chosen(kw, form, team)
        if transaction:
            error = self._pay_by_token(transaction, team)
        elif not error and not pack:
            agreed, error = self._agreed(kw, team)
        if not error:
            request.update_context(incident_form=form, incident_agreed=agreed)
            try:
                with request.env.cr.savepoint():
                    if pack:
                        self._buy(pack)
                    response = super().submit_ticket(**kw)
                    if transaction and transaction.state != "done":
                        self._wait_for_payment(form)
                    self._refer(form, self._previous(kw.get(PREVIOUS)))
                    self._draft(kw, form).unlink()
                    return response
            except UserError as exception:
                error = exception.args[0]
        draft = self._keep(kw, form)
        # As the form is shown first: add-ons give it more there.
        response = self.create_new_ticket(**kw)
        response.qcontext.update(
            error=error, draft=draft, files_lost=self._has_files(kw)
        )
        return response

    @http.route(
        "/new/ticket/keep", type="http", auth="user", methods=["POST"], website=True
    )
    def keep_new_ticket(self, **kw):
        """Keep what was typed, and go to where incidents are bought (R11.2)."""
        self._keep(kw, self._sent_form(kw))
        return request.redirect("/my/incidents/buy")

    @http.route(
        "/new/ticket/discard", type="http", auth="user", methods=["POST"], website=True
    )
    def discard_new_ticket(self, **kw):
        """Forget what was typed."""
        self._draft(kw).unlink()
        return request.redirect("/new/ticket")

    # ------------------------------------------------------------------
    # Buying what the ticket takes
    # ------------------------------------------------------------------

    def _chosen(self, kw, form, team):
        """Return what the customer has chosen to buy with this ticket, if it lacks
        something.

        :return: what the account balance is to pay; or the transaction of a saved
            payment method; and why neither can be done.
        :rtype: tuple[Pack | None, recordset | None, str | None]
        """
        account = request.env["helpdesk.incident.account"]._mine()
        cost = self._takes(team, kw).get(team, 0)
        if account.available >= cost:
            return None, None, None
        agreed = kw.get(f"{BUY}{team.id}")
        under_way = self._draft(kw, form)._under_way()
        if agreed:
            # What another form has bought pays for this one, too.
            mine = request.env["helpdesk.ticket.draft"]._mine()
            under_way = under_way or mine._under_way()
        if under_way or not agreed:
            return None, under_way, None
        orders = request.env["sale.order"]
        pack = self._packs(account, {team: cost})[team]
        if not pack or pack.key != agreed:
            return None, None, orders._incident_pack_changed()
        before = self._draft(kw, form)._begun()
        (before - before._incident_same(pack))._incident_give_up()
        if not pack.token:
            return pack, None, None
        draft = self._keep(kw, form)
        if not draft:
            return None, None, request.env._("The ticket is too long.")
        try:
            with request.env.cr.savepoint():
                draft.transaction_id = self._buy(pack)
        except UserError as exception:
            return None, None, exception.args[0]
        return None, draft.transaction_id, None

    def _agreed(self, kw, team):
        """Return what the customer agrees to pay later with this ticket (R18.1), if it
        lacks something that can be paid later, and why it cannot be submitted. The
        ticket looks at it again when it is submitted.

        :param dict kw: the form; nothing in it can be trusted.
        :rtype: tuple[Agreed | None, str | None]
        """
        account = request.env["helpdesk.incident.account"]._mine()
        later = self._later(account, team, kw)
        if not later:
            return None, None
        key = typed(kw.get(f"{LATER}{team.id}"))
        if not key:
            return None, request.env._(
                "This ticket takes more support incidents than you have: agree to pay "
                "for them later, or buy some first."
            )
        if key != later.key:
            return None, request.env["sale.order"]._incident_pack_changed()
        return Agreed(request.env.user, key), None

    def _buy(self, pack):
        return request.env["sale.order"]._incident_buy_pack(
            request.env.user.partner_id,
            request.env.company,
            pack,
            request.env["helpdesk.ticket.draft"]._mine().transaction_id,
        )

    def _pay_by_token(self, transaction, team):
        """Pay with a saved payment method, before the ticket is submitted. What the
        provider is asked is committed first, and its answer, too: a request that is
        tried again, or sent twice, finds them at the draft. Where the provider answers
        later, the ticket of a team that parks waits for it (R11.3).

        :return: why it is not paid, None if it is.
        :rtype: str | None
        """
        for step in (transaction._incident_ask, transaction._incident_post_process):
            # Nothing is asked while the account is locked (R3.6).
            request.env.cr.commit()  # pylint: disable=invalid-commit
            request.env.invalidate_all()
            transaction._incident_wait()
            try:
                with request.env.cr.savepoint():
                    step()
            except UserError as exception:
                return exception.args[0]
        if transaction.state in ("cancel", "error"):
            return request.env._(
                "The payment was declined. Choose another way to pay under “Buy "
                "support incidents”."
            )
        parks = team.incident_shortage_policy != "refuse"
        coming = transaction.state in ("pending", "authorized") and parks
        if transaction.state != "done" and not coming:
            return request.env._(
                "Your payment is being processed. Submit the ticket as soon as it has "
                "arrived."
            )
        return None

    def _wait_for_payment(self, form):
        """Let the ticket that was submitted be released first, once it is paid."""
        tickets, _is_same = request.env["helpdesk.ticket"]._incident_of_form(form)
        for ticket in tickets:
            ticket._incident_use_link()

    # ------------------------------------------------------------------
    # Going on with a ticket that was closed long ago (R11.3)
    # ------------------------------------------------------------------

    def _previous(self, ticket_id=None):
        """Return the closed ticket that a request names, if it is of the user's own
        customer (R11.6), with superuser rights.

        :param ticket_id: nothing in it can be trusted.
        """
        ticket = self._browse("helpdesk.ticket", ticket_id).sudo()
        return ticket.filtered(
            lambda ticket: ticket.closed and ticket._incident_is_own(request.env.user)
        )

    def _previous_form(self, previous):
        """Return with what a new ticket begins that refers to a closed one, as fields
        of the form: what cannot be chosen is not."""
        if not previous:
            return {}
        return {
            "subject": [request.env._("Re: %(title)s", title=previous.name)],
            "team": [str(previous.team_id.id)],
            "category": [str(previous.category_id.id)],
        }

    def _refer(self, form, previous):
        tickets, _is_same = request.env["helpdesk.ticket"]._incident_of_form(form)
        for ticket in tickets if previous else ():
            ticket._incident_continue(previous)

    # ------------------------------------------------------------------
    # What was typed
    # ------------------------------------------------------------------

    def _typed_form(self):
        """Return what the customer has typed into the form that was sent.

        :rtype: dict[str, list[str]]
        """
        sources = request.httprequest.args, request.httprequest.form
        values = sent_values(
            pair for source in sources for pair in source.items(multi=True)
        )
        return {
            name: texts
            for name, texts in values.items()
            if name not in OWN and not name.startswith((BUY, LATER))
        }

    def _has_files(self, kw):
        files = request.httprequest.files.values()
        return bool(kw.get("incident_files")) or any(file.filename for file in files)

    def _keep(self, kw, form):
        """Keep what was typed (R11.2).

        :param dict kw: the form; nothing in it can be trusted.
        :param SentForm form: which one it was; None if nobody knows.
        :return: the draft; empty if nothing was typed.
        """
        typed_form, draft = self._typed_form(), self._draft(kw)
        if not any("".join(typed_form.get(name, [])).strip() for name in WORDS):
            return draft
        return draft._keep(
            typed_form,
            draft,
            key=form and form.key,
            has_files=self._has_files(kw),
        )

    def _draft(self, kw, form=None):
        """Return the draft that a request names, or that the same form has left, if it
        is the user's own (R11.6)."""
        number = whole_number(kw.get("incident_draft"))
        drafts = request.env["helpdesk.ticket.draft"]._mine()
        return drafts.filtered(
            lambda draft: draft.id == number or (form and draft.key == form.key)
        )

    @http.route()
    def support_ticket_close(self, ticket_id=None, stage_id=None, **kw):
        """Override: a user who may not see a ticket cannot close it, and a waiting
        ticket can be closed only by its own customer. A request that another page makes
        the browser send closes none (R11.6)."""
        if request.httprequest.method != "POST":
            return request.redirect("/my/tickets")
        ticket = self._browse("helpdesk.ticket", ticket_id)
        waiting = ticket.sudo().incident_parking == "parked"
        stage = whole_number(stage_id)
        if (
            not ticket
            or not stage
            or (waiting and not ticket._incident_is_own(request.env.user))
        ):
            return request.redirect("/my/tickets")
        return super().support_ticket_close(ticket_id=ticket.id, stage_id=stage)

    def _sent_form(self, kw):
        """Return the form that was sent (R4.7), None if it has no token.

        :param dict kw: the form; nothing in it can be trusted.
        """
        token = typed(kw.get("incident_form"))
        if not token:
            return None
        words = {
            name: value
            for name, value in kw.items()
            if isinstance(value, str) and name != "incident_form"
        }
        files = request.httprequest.files.items(multi=True)
        return SentForm(
            request.env.user,
            token,
            [words, sorted((name, upload.filename) for name, upload in files)],
        )

    def _submission_error(self, kw, ticket):
        """Return why the submitted form cannot be accepted, if it cannot.

        :param dict kw: the form; nothing in it can be trusted.
        :param ticket: what the same form has opened already, with other words.
        :rtype: str | None
        """
        if ticket:
            return request.env._(
                "You have sent this form before, and it has opened ticket %(number)s. "
                "To open one more, submit it again.",
                number=ticket.number,
            )
        if not kw["subject"].strip():
            return request.env._("Enter a subject.")
        if not kw["description"].strip():
            return request.env._("Enter a description.")
        category = kw.get("category")
        if category and not self._browse("helpdesk.ticket.category", category):
            return request.env._(
                "The chosen category does not exist any more. Choose another one."
            )
        return self._team_error(kw)

    def _team_error(self, kw):
        team_id, company = kw.get("team"), request.env.company
        offered = self._get_teams() or request.env["helpdesk.ticket.team"]
        if not offered and not team_id:
            return None
        if not team_id:
            if company.helpdesk_mgmt_portal_team_id_required:
                return request.env._("Choose a team.")
            return None
        team = self._browse("helpdesk.ticket.team", team_id)
        if team in offered:
            return None
        cost = self._takes(team, kw).get(team, 0)
        if cost and team.show_in_portal:
            account_model = request.env["helpdesk.incident.account"]
            account = account_model._of(request.env.user.partner_id, team.company_id)
            return account_model._shortage_message(cost, account.available)
        return request.env._(
            "The chosen team is not available any more. Choose another one."
        )
