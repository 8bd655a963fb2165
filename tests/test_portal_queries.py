import logging
from datetime import timedelta

from freezegun import freeze_time

from odoo.tests import HttpCase, tagged
from odoo.tools import SQL

from .common import TODAY, PaidSupportCommon
from .common_sale import BOUGHT
from .test_subscription_portal import MAY_20, SubscriptionPortalCommon

_logger = logging.getLogger(__name__)

#: How many entries an account has.
FEW, MANY = 10, 10_000
#: How many plans are sold besides.
MORE_PLANS = 40


class Counting:
    """Count the queries of pages."""

    def count(self, path):
        """Return how many queries a page takes, once it has been seen before."""
        for _n in range(3):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            response = self.url_open(path)
            counted = self.env.cr.sql_log_count - before
            self.assertEqual(response.status_code, 200)
        return counted


@tagged("post_install", "-at_install")
class TestPortalQueries(Counting, PaidSupportCommon, HttpCase):
    """R11.4: each page opens with as many queries after years as on the first day."""

    unsound = "its history is written by SQL, and has no tickets"

    def setUp(self):
        super(PaidSupportCommon, self).setUp()
        self.startPatcher(freeze_time(TODAY, tick=True))

    def fill(self, customer, number):
        """Write so many entries to an account: given, lapsed with months that have
        ended, and used for many tickets."""
        account = self.give_lifetime(1, customer)
        tickets = self.env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Ticket {n}",
                    "description": "…",
                    "partner_id": customer.id,
                    "team_id": self.free_team.id,
                }
                for n in range(max(number // 10, 3))
            ]
        )
        self.give_period(number, TODAY, TODAY + timedelta(days=29), customer=customer)
        for n in range(number // 100):
            first = TODAY - timedelta(days=31 * (n + 1))
            self.give_period(5, first, first + timedelta(days=30), customer=customer)
        account._open_and_close()
        entries = account._statement_count()
        window = account._windows().filtered("date_to")[:1]
        post = self.entry_model._post
        written = post(
            SQL(
                """
                SELECT %(account)s AS account_id, %(window)s AS allotment_id,
                       %(today)s::date - n %% 80 AS date,
                       CASE n %% 3 WHEN 2 THEN 'return' ELSE 'deduction' END AS kind,
                       CASE n %% 3 WHEN 2 THEN 1 ELSE -1 END AS quantity,
                       t.id AS ticket_id, 'ticket:' || t.id AS cause_key,
                       'helpdesk.ticket' AS res_model, t.id AS res_id,
                       'Ticket ' || t.id AS name
                  FROM generate_series(0, %(last)s) n
                  JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number
                          FROM helpdesk_ticket WHERE id IN %(tickets)s) t
                    ON t.number = n %% %(count)s
                """,
                account=account.id,
                window=window.id,
                today=TODAY,
                last=number - entries - 1,
                tickets=tuple(tickets.ids),
                count=len(tickets),
            )
        )
        self.env.invalidate_all()
        self.assertEqual(written, number - entries)
        self.assertEqual(account._statement_count(), number)

    def test_pages(self):
        """R11.4: 10 entries or 10,000: the same number of queries."""
        paths = (
            "/my/incidents",
            "/my/incidents/statement",
            "/my/incidents/statement?group=used&search=Ticket&since=2027-01-01",
            "/my/incidents/statement/page/2",
            "/my/incidents/statement/print",
            "/my/incidents/statement/csv",
        )
        self.fill(self.other_customer, FEW)
        self.fill(self.customer, MANY)
        counts = {}
        for login in ("hps-bella", "hps-nora"):
            self.authenticate(login, login)
            counts[login] = {path: self.count(path) for path in paths}
            # R22.1: the pictures are among what is counted.
            self.assertIn('name="bars"', self.url_open("/my/incidents").text)
        self.assertEqual(counts["hps-bella"], counts["hps-nora"])
        _logger.info("Queries of each page: %s", counts["hps-nora"])


@tagged("post_install", "-at_install")
class TestPlanQueries(Counting, SubscriptionPortalCommon):
    """R11.4, R11.1: each page opens with as many queries, however many plans there are
    to buy, to renew a subscription with and to change it to."""

    def test_pages(self):
        """With few plans and with many: the same number of queries, and buttons."""
        with freeze_time(BOUGHT):
            subscription = self.bought()
        with self.on(MAY_20):
            self.log_in()
            few = self.counts(subscription)
            plans = self.env["product.product"].union(
                *(
                    self.plan(f"Plan {n}", 10 + n, "period", 3, 1)
                    for n in range(MORE_PLANS)
                )
            )
            plans.product_tmpl_id.incident_portal_published = True
            template = self.months.product_tmpl_id
            template.incident_change_template_ids |= plans.product_tmpl_id
            self.env.flush_all()
            self.assertEqual(self.counts(subscription), few)
            page = self.page("/my/incidents")
        for name in ("buy", "renew", "extra", "change"):
            self.assertTrue(page.xpath(f"//a[@name='{name}']"), name)

    def counts(self, subscription):
        paths = ("/my/home", "/my/incidents", "/new/ticket", self.path(subscription))
        return {path: self.count(path) for path in paths}
