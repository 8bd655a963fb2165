"""The entries that bring deferred revenue to what it should be (R21.1, R21.2)."""

from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL, date_utils, format_date

from .helpdesk_incident_release import FIGURES, NOTHING


class HelpdeskIncidentRelease(models.Model):
    _inherit = "helpdesk.incident.release"

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _release(self, company, date):
        """Make what is missing up to the end of a month (R21.1).

        The months are taken in order. One of which deferred revenue still has what was
        said of it is left alone; any other, because it was not made yet, or its entry
        was reset, changed or reversed into it, gets the difference to what the report
        says by now. So twice makes nothing, and whatever is missing is made up for.

        A month in which the books are closed gets nothing: what belongs there is part
        of the next one (R21.2). Where entries stay drafts, the next month waits until
        this one is posted; a draft that would be another one by now is replaced.

        :param company: a ``res.company``, the one at the top or a branch.
        :param date: any day of the last month; the month must be over.
        :return: what was made, or is still a draft; with superuser rights.
        :raise UserError: if something is not set up, or the month is not over.
        """
        company = company.sudo().root_id
        last = date_utils.end_of(date, "month")
        # Whoever may do so posts all of it.
        return self.sudo().with_company(company)._release_to(company, last)

    def _release_to(self, company, last):
        """Make what is missing up to a month end, of a company at the top."""
        self._check_setup(company)
        opening = self._opening_of(company)
        if last >= company._incident_today():
            raise UserError(
                self.env._(
                    "%(month)s is not over: what customers will use until then is not "
                    "known.",
                    month=format_date(self.env, last, date_format="MMMM y"),
                )
            )
        opening._lock_company()
        drafts = self.search(
            Domain("company_id", "=", company.id)
            & Domain("move_id.state", "=", "draft")
        )
        made, first = self.browse(), None
        for day in self._month_ends(opening.date, last):
            posted = self._posted(company, day)
            first = first or date_utils.start_of(day, "month")
            if not self._is_as_said(company, day, posted):
                if self._is_locked(company, day):
                    continue
                release = self._make(company, first, day, posted, drafts.exists())
                made |= release
                if release.state == "draft":
                    break
            first = None
        (drafts - made)._discard()
        return made

    @api.model
    def _month_ends(self, after, last):
        """Return the ends of the months after a day, up to a last one.

        :rtype: list[datetime.date]
        """
        days, day = [], after
        while day < last:
            day = date_utils.end_of(day + timedelta(days=1), "month")
            days.append(day)
        return days

    def _lock_company(self):
        """Serialize the entries of a company, until the transaction ends. As with
        accounts (R3.6), the row is also written: who comes second begins anew, and
        sees what was posted."""
        self.env.cr.execute(
            SQL(
                "UPDATE helpdesk_incident_release SET write_date = %s WHERE id = %s",
                self.env.cr.now(),
                self.id,
            ),
            log_exceptions=False,
        )

    @api.model
    def _is_locked(self, company, day):
        journal = company.incident_release_journal_id
        return bool(company._get_violated_lock_dates(day, False, journal))

    @api.model
    def _closed(self, company):
        """Return what counts as said: the opening values, and what was posted, or had
        nothing to post."""
        return self.sudo().search(
            Domain("company_id", "=", company.id)
            & (Domain("move_id", "=", False) | Domain("move_id.state", "=", "posted"))
        )

    @api.model
    def _is_as_said(self, company, day, posted):
        """Return whether deferred revenue has of each product what was said of a month
        end.

        :param dict posted: see :meth:`_posted`.
        """
        release = self._closed(company).filtered(lambda closed: closed.date == day)[:1]
        said = {
            line.product_id.id: (line.amount_deferred, line.amount_lapsed)
            for line in release.line_ids
        }
        nothing = 0, 0
        return bool(release) and all(
            company.currency_id.is_zero(stored - booked)
            for product in said.keys() | posted.keys()
            for stored, booked in zip(
                said.get(product, nothing), posted.get(product, nothing), strict=True
            )
        )

    # ------------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------------

    @api.model
    def _figures(self, company, day):
        """Return what the report says of each product up to a day.

        :return: ``FIGURES`` in company currency, by product id.
        :rtype: dict[int, dict[str, float]]
        """
        month_model = self.env["helpdesk.incident.unearned.month"].sudo()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT product_id, %(sums)s
                  FROM (SELECT product_id, invoiced, amount_used, amount_lapsed,
                               invoiced AS opened, 0 AS discounts, 0 AS down,
                               0 AS books
                          FROM (%(totals)s) AS total
                         UNION ALL
                        -- what is not charged here was so in another system (R21.4)
                        SELECT product_id, 0, 0, 0, -invoiced,
                               CASE WHEN is_down THEN 0 ELSE invoiced - amount END,
                               CASE WHEN is_down THEN invoiced ELSE 0 END, 0
                          FROM (%(charged)s) AS charged
                         UNION ALL
                        SELECT product_id, 0, 0, 0, 0, 0, 0, amount
                          FROM (%(books)s) AS booked) AS part
                 WHERE product_id IS NOT NULL
                 GROUP BY product_id
                HAVING (%(sums)s) <> (0, 0, 0, 0, 0, 0, 0)
                """,
                sums=SQL(
                    "SUM(invoiced), SUM(amount_used), SUM(amount_lapsed),"
                    " SUM(opened), SUM(discounts), SUM(down), SUM(books)"
                ),
                totals=month_model._totals([day], company),
                charged=month_model._charged(day, company),
                books=month_model._booked(day, company),
            )
        )
        return {
            product: dict(zip(FIGURES, map(float, figures), strict=True))
            for product, *figures in rows
        }

    @api.model
    def _posted(self, company, day):
        """Return what was posted of each product up to a day, opening values included:
        the lines of the entries, and of what reverses them.

        :return: the balances of deferred revenue, and of what has lapsed, as credits,
            by product id.
        :rtype: dict[int, tuple[float, float]]
        """
        self.env["account.move.line"].flush_model(
            [
                *("incident_release_kind", "product_id", "balance", "date"),
                *("parent_state", "company_id"),
            ]
        )
        posted = defaultdict(lambda: [0, 0])
        for line in self._opening_of(company).line_ids:
            posted[line.product_id.id] = [line.amount_deferred, line.amount_lapsed]
        for product, deferred, lapsed in self.env.execute_query(
            SQL(
                """
                SELECT product_id,
                       SUM(-balance) FILTER (WHERE incident_release_kind = 'deferred'),
                       SUM(-balance) FILTER (WHERE incident_release_kind = 'lapsed')
                  FROM account_move_line
                 WHERE incident_release_kind IN ('deferred', 'lapsed')
                   AND parent_state = 'posted' AND date <= %s
                   AND product_id IS NOT NULL AND company_id = ANY(%s)
                 GROUP BY product_id
                """,
                day,
                company._incident_entity(),
            )
        ):
            posted[product][0] += float(deferred or 0)
            posted[product][1] += float(lapsed or 0)
        return {product: tuple(sums) for product, sums in posted.items()}

    # ------------------------------------------------------------------
    # Entries
    # ------------------------------------------------------------------

    @api.model
    def _make(self, company, first, day, posted, drafts):
        """Make the entry of a month, or leave a draft that is the same.

        :param first: the first day of the months that it is for.
        :param dict posted: see :meth:`_posted`.
        :param drafts: what may be replaced.
        """
        values = self._prepare_lines(company, day, posted)
        same = drafts.filtered(
            lambda draft: draft.date == day and draft._says(first, values)
        )[:1]
        if same:
            if company.incident_release_post:
                same.move_id._post(soft=False)
            return same
        drafts._discard()
        release = self.create(
            {
                "company_id": company.id,
                "date": day,
                "date_from": first,
                "line_ids": [Command.create(line) for line in values],
            }
        )
        items = [item for line in release.line_ids for item in line._prepare_items()]
        if items:
            release.move_id = self.env["account.move"].create(
                release._prepare_move(items)
            )
        release._attach_report()
        if release.move_id and company.incident_release_post:
            release.move_id._post(soft=False)
        return release

    @api.model
    def _prepare_lines(self, company, day, posted):
        """Return the values of the lines of a month end, of each product that has or
        had something.

        :rtype: list[dict]
        """
        figures = self._figures(company, day)
        lines = []
        for product in sorted(figures.keys() | posted.keys()):
            line = figures.get(product, NOTHING)
            deferred, lapsed = posted.get(product, (0, 0))
            currency = company.currency_id
            lines.append(
                {
                    "product_id": product,
                    **line,
                    "amount_deferred": currency.round(
                        line["amount_invoiced"]
                        - line["amount_used"]
                        - line["amount_lapsed"]
                    ),
                    "amount_before": currency.round(deferred),
                    "amount_lapsed_before": currency.round(lapsed),
                }
            )
        return lines

    def _says(self, first, values):
        """Return whether a draft says that of a month end.

        :param list[dict] values: those of its lines, by product.
        """
        self.ensure_one()
        lines = self.line_ids.sorted(lambda line: line.product_id.id)
        said = [
            {name: line[name] for name in names} | {"product_id": line.product_id.id}
            for line, names in zip(lines, values, strict=False)
        ]
        return self.date_from == first and len(lines) == len(values) and said == values

    def _prepare_move(self, items):
        """Return the values of the journal entry.

        :param list[dict] items: values of its lines.
        """
        self.ensure_one()
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "journal_id": self.company_id.incident_release_journal_id.id,
            "date": self.date,
            "ref": self.env._(
                "Support incidents: deferred revenue, %(month)s", month=self._month()
            ),
            "line_ids": [Command.create(item) for item in items],
        }

    def _discard(self):
        """Remove those that are still drafts, to be made anew. An entry that was posted
        once keeps its number, cancelled."""
        drafts = self.exists().filtered(lambda release: release.state == "draft")
        moves = drafts.move_id
        kept = moves.filtered("posted_before")
        kept.button_cancel()
        drafts.unlink()
        (moves - kept).with_context(force_delete=True).unlink()

    # ------------------------------------------------------------------
    # Set-up
    # ------------------------------------------------------------------

    @api.model
    def _check_setup(self, company):
        """Check that what entries need was chosen.

        :raise UserError: if not; it says what is missing.
        """
        if not company._incident_releases():
            raise UserError(
                self.env._(
                    "Choose a journal and an account of deferred revenue first: in the "
                    "settings of helpdesk, block “Paid support”."
                )
            )
        if not self._opening_of(company):
            raise UserError(
                self.env._(
                    "Enter first what the account of deferred revenue holds by now: "
                    "“Opening values”, in the list of release entries."
                )
            )

    # ------------------------------------------------------------------
    # Scheduled action
    # ------------------------------------------------------------------

    @api.model
    def _cron_release(self):
        """Make what is missing up to the end of last month, in each company that has
        switched it on (R21.1). What stands in the way of one is shown with its entries,
        and blocks none of the others."""
        companies = self.env["res.company"]._incident_companies()
        openings = self.sudo().search(Domain("opening", "=", True))
        companies &= openings.company_id
        companies = companies.filtered(lambda company: company._incident_releases())
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(companies))
        for company in companies:
            today = company._incident_today()
            last = date_utils.start_of(today, "month") - timedelta(days=1)
            problem = False
            # Its books are in its language.
            release_model = self.with_context(lang=company.partner_id.lang)
            try:
                release_model._release(company, last)
            except UserError as error:
                self.env.cr.rollback()
                problem = str(error)
            self._opening_of(company).problem = problem
            cron._commit_progress(1)
