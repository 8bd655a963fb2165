from freezegun import freeze_time

from odoo.tests import HttpCase, tagged

from .common import PaidSupportCommon
from .test_statement import StatementCommon


@tagged("post_install", "-at_install")
class TestStatementTours(StatementCommon, HttpCase):
    """What a customer finds out without asking, in a real browser (R11.4)."""

    def setUp(self):
        super(PaidSupportCommon, self).setUp()
        # The server and the browser work by the clock: it goes on.
        self.startPatcher(freeze_time("2027-05-02 10:00:00", tick=True))

    def test_at_a_glance(self):
        """R11.4: what is left, what comes next, and the statement of April."""
        self.start_tour(
            "/my/incidents", "helpdesk_paid_support_statement", login="hps-nora"
        )

    def test_at_a_glance_on_a_phone(self):
        """R11.4: the same, 390 pixels wide; nothing has to be moved sideways."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.start_tour(
            "/my/incidents", "helpdesk_paid_support_statement", login="hps-nora"
        )

    def test_nothing_yet(self):
        """R11.4: an empty page says what to do."""
        self.start_tour(
            "/my/incidents", "helpdesk_paid_support_no_statement", login="hps-bella"
        )
