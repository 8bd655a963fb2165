import csv
import io
import re
import unicodedata
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlencode

from dateutil.relativedelta import relativedelta

from odoo import http
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..models.ledger.account_statement import GROUPS
from . import parse
from .portal import PaidSupportPortal

PATH = "/my/incidents/statement"
#: How many entries are printed at most: that is a hundred sheets of paper.
PRINT_LIMIT = 5_000
#: How many orders are listed on a page.
PURCHASES_PER_PAGE = 20
#: Where a spreadsheet would see a formula, in the result of :func:`_looks_like`: at the
#: beginning of a cell. A cell can also begin after a character that it takes for a
#: separator, as semicolons in many countries.
FORMULA = re.compile(r"(?:^|;)[; ]*(=?)")
#: Letters and symbols that are invisible all the same: fillers and a blank.
BLANKS = {"\u115f", "\u1160", "\u2800"}


@lru_cache(maxsize=10_000)
def _looks_like(char):
    """Return what a spreadsheet may take a character for: some programs accept a
    full-width ``＝`` as ``=``, and ignore invisible characters.

    :return: ``=`` for what a formula begins with, ``;`` for what ends a cell or a line,
        a space for what is not seen, or is a quotation mark; else ``x``.
    :rtype: str
    """
    plain = unicodedata.normalize("NFKC", char)
    category = unicodedata.category(char)
    if plain in {"=", "+", "-", "\N{MINUS SIGN}", "@"}:
        return "="
    if plain in {";", ","} or category in {"Cc", "Zl", "Zp"}:
        return ";"
    if (
        plain in {'"', "'", " "} | BLANKS
        # formats, spaces, marks on a letter that is not there, no characters at all
        or category in {"Cf", "Zs", "Mn", "Me", "Cn", "Co", "Cs"}
    ):
        return " "
    return "x"


class Filters(NamedTuple):
    """The filters of a statement."""

    group: str = ""
    since: str = ""
    until: str = ""
    search: str = ""

    def query(self, **changes):
        """Return these as the arguments of an address, without what is empty."""
        return {
            name: value
            for name, value in self._replace(**changes)._asdict().items()
            if value
        }


class PaidSupportStatement(PaidSupportPortal):
    """The statement (R11.4): always that of the logged-in user's customer (R11.6)."""

    @http.route(
        [PATH, f"{PATH}/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_incidents_statement(self, page=1, **kw):
        """Entries, newest first, and what they sum to."""
        filters = self._statement_filters(**kw)
        values = self._statement_values(filters)
        if not values["error"]:
            account = values["account"]
            values["pager"] = portal_pager(
                url=PATH,
                total=values["count"],
                page=parse.whole_number(page, parse.MAX_PAGE) or 1,
                step=self._items_per_page,
                url_args=filters.query(),
            )
            values |= self._statement_lines(
                account,
                values["listed"],
                limit=self._items_per_page,
                offset=values["pager"]["offset"],
            )
        return request.render(
            "helpdesk_paid_support.portal_my_incidents_statement", values
        )

    @http.route(
        ["/my/incidents/purchases", "/my/incidents/purchases/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
    )
    def portal_my_incidents_purchases(self, page=1, **kw):
        """Orders of plans, newest first, with what was paid, credited and given."""
        # As the customer: rules say which are his (R11.6).
        orders = request.env["sale.order"]
        domain = orders._incident_purchases_domain(request.env.company)
        # Staff of the helpdesk alone may look at no orders, and has none.
        may_read = orders.has_access("read")
        pager = portal_pager(
            url="/my/incidents/purchases",
            total=orders.search_count(domain) if may_read else 0,
            page=parse.whole_number(page, parse.MAX_PAGE) or 1,
            step=PURCHASES_PER_PAGE,
        )
        found = orders
        if may_read:
            found = orders.search(
                domain,
                order="date_order desc, id desc",
                limit=PURCHASES_PER_PAGE,
                offset=pager["offset"],
            )
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "incidents_purchases",
            "purchases": found._incident_purchases(),
            "day": self._day_words,
            "can_buy": orders._incident_can_buy(
                request.env.user.partner_id, request.env.company
            ),
            "pager": pager,
        }
        return request.render(
            "helpdesk_paid_support.portal_my_incidents_purchases", values
        )

    @http.route(f"{PATH}/print", type="http", auth="user", website=True)
    def portal_my_incidents_statement_print(self, **kw):
        """The same on one page, as it is printed."""
        filters = self._statement_filters(**kw)
        values = self._statement_values(filters)
        if values["error"]:
            return request.redirect_query(PATH, filters.query())
        values |= self._statement_lines(
            values["account"], values["listed"], limit=PRINT_LIMIT
        )
        values["printed"] = True
        return request.render(
            "helpdesk_paid_support.portal_my_incidents_statement_print", values
        )

    @http.route(f"{PATH}/csv", type="http", auth="user", website=True)
    def portal_my_incidents_statement_csv(self, **kw):
        """The same for a spreadsheet: all that the filters leave.

        Dates are written as 2027-05-31: spreadsheets and programs read that alike in
        every country, and it sorts. Numbers stay numbers.
        """
        filters = self._statement_filters(**kw)
        values = self._statement_values(filters)
        if values["error"]:
            return request.redirect_query(PATH, filters.query())
        values |= self._statement_lines(values["account"], values["listed"])
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(self._csv_titles())
        writer.writerows(self._csv_row(line, values) for line in values["lines"])
        return request.make_response(
            # The mark tells spreadsheets that it is UTF-8.
            text.getvalue().encode("utf-8-sig"),
            headers=[
                ("Content-Type", "text/csv; charset=utf-8"),
                ("Content-Disposition", content_disposition(self._csv_name(values))),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )

    @http.route(
        f"{PATH}/mail",
        type="http",
        auth="user",
        # With GET, it is where a user arrives who had to log in first.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_my_incidents_statement_mail(self, wanted="", **kw):
        """Let the statement of each month be mailed to the user, or no longer (R22.3).

        :param str wanted: "on" or "off".
        """
        if request.httprequest.method == "POST" and wanted in ("on", "off"):
            contact = request.env.user.partner_id.sudo()
            contact.incident_statement_by_mail = wanted == "on"
        return request.redirect(f"{PATH}#mail")

    # ------------------------------------------------------------------
    # What is asked for
    # ------------------------------------------------------------------

    def _statement_filters(
        self, group=None, since=None, until=None, search=None, **ignored
    ):
        """Return the filters of a request, as they were typed."""
        return Filters(
            group=group if group in GROUPS else "",
            since=parse.words(since),
            until=parse.words(until),
            search=parse.words(search),
        )

    def _statement_values(self, filters):
        account = request.env["helpdesk.incident.account"]._mine()
        account._catch_up()
        today = account._today()
        since, until = parse.day(filters.since), parse.day(filters.until)
        error = self._statement_error(filters, since, until, today)
        # Nothing is known yet about future days.
        until = min(until or today, today)
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "incidents_statement",
            "account": account,
            "company": request.env.company.sudo(),
            "customer": request.env.user.partner_id.sudo().commercial_partner_id,
            "filters": filters,
            "filtered": self._statement_filter_words(filters),
            "groups": self._statement_groups(),
            "error": error,
            "since": since,
            "until": until,
            "today": today,
            "day": self._day_words,
            "periods": self._statement_periods(today),
            "validity": request.env["helpdesk.incident.allotment"]._validity,
            "address": self._statement_address,
            "printed": False,
            "pager": None,
            "by_mail": request.env.user.partner_id.sudo().incident_statement_by_mail,
        }
        if error:
            return values
        listed = account._statement_filter(filters.group, since, until, filters.search)
        count = account._statement_count(listed)
        return {
            **values,
            "listed": listed,
            "count": count,
            "figures": account._statement_figures(since, until),
            "print_limit": PRINT_LIMIT,
        }

    def _statement_error(self, filters, since, until, today):
        """Return why there is no statement for these days, in words."""
        for typed, known in ((filters.since, since), (filters.until, until)):
            if typed and not known:
                return request.env._(
                    "“%(typed)s” is no date. Choose one from the calendar, or type it "
                    "as year-month-day, for example %(example)s.",
                    typed=typed,
                    example=today.isoformat(),
                )
        if since and until and since > until:
            return request.env._(
                "The first day is after the last day: %(since)s is later than "
                "%(until)s.",
                since=self._day_words(since),
                until=self._day_words(until),
            )
        if since and since > today:
            return request.env._(
                "The first day is in the future. A statement ends today at the latest."
            )
        return None

    def _statement_groups(self):
        """Return what the columns of a statement are called."""
        return {
            "given": request.env._("Given"),
            "used": request.env._("Used"),
            "lapsed": request.env._("Lapsed"),
            "taken": request.env._("Taken back"),
        }

    def _statement_filter_words(self, filters):
        """Return in words which entries of a period are listed; an empty text if all
        are."""
        group = self._statement_groups().get(filters.group)
        if group and filters.search:
            return request.env._(
                "Only entries of the kind “%(kind)s” with “%(words)s” are listed.",
                kind=group,
                words=filters.search,
            )
        if group:
            return request.env._(
                "Only entries of the kind “%(kind)s” are listed.", kind=group
            )
        if filters.search:
            return request.env._(
                "Only entries with “%(words)s” are listed.", words=filters.search
            )
        return None

    def _statement_periods(self, today):
        """Return periods that are often asked for: a name, the first and last day."""
        month = today.replace(day=1)
        year = month.replace(month=1)
        last_month = month - relativedelta(months=1)
        last_year = year - relativedelta(years=1)
        one = timedelta(days=1)
        return [
            (request.env._("This month"), month, today),
            (request.env._("Last month"), last_month, month - one),
            (request.env._("This year"), year, today),
            (request.env._("Last year"), last_year, year - one),
        ]

    def _statement_address(self, path, filters, **changes):
        """Return the address of a page of the statement with other filters."""
        query = filters.query(**changes)
        return f"{PATH}{path}?{urlencode(query)}" if query else f"{PATH}{path}"

    # ------------------------------------------------------------------
    # CSV
    # ------------------------------------------------------------------

    def _csv_titles(self):
        return [
            request.env._("Date"),
            request.env._("Kind"),
            request.env._("Description"),
            request.env._("Document"),
            request.env._("Valid to"),
            request.env._("Incidents"),
            request.env._("Balance"),
        ]

    def _csv_row(self, line, values):
        document = values["document"](line)
        return [
            line.date.isoformat(),
            self._csv_text(values["word"](line)),
            self._csv_text(line.name),
            self._csv_text(document.name if document else ""),
            line.date_to.isoformat() if line.date_to else "",
            line.quantity,
            line.balance,
        ]

    def _csv_text(self, text):
        """Return a text that no spreadsheet takes for a formula: a customer's ticket
        may be called ``=HYPERLINK(…)``."""
        shape = "".join(map(_looks_like, text))
        begins = [match.start(1) for match in FORMULA.finditer(shape) if match[1]]
        parts = pairwise([0, *begins, len(text)])
        return "'".join(text[start:end] for start, end in parts)

    def _csv_name(self, values):
        since = values["since"]
        days = [since.isoformat()] if since else []
        return "_".join(["incidents", *days, values["until"].isoformat()]) + ".csv"
