from contextlib import contextmanager

from odoo.tests import HttpCase, TransactionCase
from odoo.tools import SQL

from .guard import refuse_under_lock

#: What changes when something is given, used or taken back.
STATE = {
    "helpdesk_incident_entry": ("id",),
    "helpdesk_incident_allotment": ("id", "date_from", "date_to", "target", "to_grant"),
    "sale_order_line": ("id", "incident_due"),
}
#: What is printed: nobody looks at most of it, and it takes long.
DOCUMENT = (b"A document", "html")


def pretend_to_print(report, *args, **kwargs):
    """Print nothing, where it is no fault to print (R3.6)."""
    refuse_under_lock(report.env, "A report is printed")
    return DOCUMENT


class LedgerCase(TransactionCase):
    """Each test ends with the ledger check (R13.4). Documents are printed for who asks
    over HTTP, and where a test says so."""

    #: Why a test, or all of a class, leaves what the check does not agree with.
    unsound = ""

    def setUp(self):
        super().setUp()
        reports = type(self.env["ir.actions.report"])
        self._print = reports._pre_render_qweb_pdf
        if not isinstance(self, HttpCase):
            self.patch(reports, "_pre_render_qweb_pdf", pretend_to_print)

    def let_print(self):
        """Let documents be printed, as HTML: Odoo's tests have no PDF."""
        reports = type(self.env["ir.actions.report"])
        self.patch(reports, "_pre_render_qweb_pdf", self._print)

    def tearDown(self):
        # Before the clock is set right again. What has failed has its own reason.
        if not self.unsound and self._outcome.success:
            differences = self.env["helpdesk.incident.account"]._check_ledger()
            self.assertEqual(differences, [], "the ledger check at the end (R13.4)")
        super().tearDown()

    @contextmanager
    def assertNothingChanges(self):
        """Check that nothing is given or taken, now or later (R3.4)."""
        before = self._ledger_state()
        yield
        self.assertEqual(self._ledger_state(), before)

    def _ledger_state(self):
        self.env.flush_all()
        state = {}
        for table, columns in STATE.items():
            state[table] = self.env.execute_query(
                SQL(
                    "SELECT %s FROM %s ORDER BY id",
                    SQL(", ").join(map(SQL.identifier, columns)),
                    SQL.identifier(table),
                )
            )
        return state

    def assertLedgerSound(self):
        """R3.3: every stored number is the sum of its entries."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT m.id, m.balance, m.granted, m.used, m.lapsed
              FROM helpdesk_incident_allotment m
              LEFT JOIN helpdesk_incident_entry e ON e.allotment_id = m.id
             GROUP BY m.id
            HAVING m.balance <> COALESCE(SUM(e.quantity), 0)
                OR m.used <> -COALESCE(SUM(e.quantity) FILTER
                             (WHERE e.kind IN ('deduction', 'return')), 0)
                OR m.lapsed <> -COALESCE(SUM(e.quantity) FILTER
                               (WHERE e.kind = 'expiry'), 0)
                OR BOOL_OR(e.account_id <> m.account_id)
            """
        )
        self.assertEqual(self.env.cr.fetchall(), [])
