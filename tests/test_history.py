from markupsafe import Markup

from odoo.tests import tagged

from .common import PaidSupportCommon


def as_shown(value):
    """Return a text as a browser shows it: a quote can be written in two ways."""
    return Markup(value).unescape() if isinstance(value, str) else value


@tagged("post_install", "-at_install")
class TestHistory(PaidSupportCommon):
    """The history of a ticket (R4.6)."""

    def _rows(self, body):
        """Return what `_message_log` and the module write of ``body``."""
        ticket = self.ticket(self.free_team).with_user(self.agent)
        before = ticket.message_ids
        message = ticket._message_log(body=body)
        ticket._incident_log(body)
        note = ticket.message_ids - before - message
        self.assertEqual(len(note), 1)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT * FROM mail_message WHERE id IN %s ORDER BY id",
            [tuple((message | note).ids)],
        )
        return self.env.cr.dictfetchall()

    def test_same_as_the_orm(self):
        """R4.6: a note is the row that Odoo itself would have written."""
        # What Odoo leaves to the moment, and where it says nothing in its own way.
        differ = {"id", "message_id", "create_uid", "write_uid"}
        for body in (
            "3 < 5 & “quotes”, c'est ça",
            Markup("Returned: 3.<br>1 lapsed."),
        ):
            theirs, ours = self._rows(body)
            for column in set(theirs) - differ:
                with self.subTest(column=column, body=body):
                    self.assertEqual(*map(as_shown, (ours[column], theirs[column])))
            self.assertNotEqual(ours["message_id"], theirs["message_id"])
            self.assertIn("openerp-message-notify", ours["message_id"])

    def test_without_an_address(self):
        """R4.6: who has no e-mail address has none in the note either."""
        self.agent.partner_id.email = False
        theirs, ours = self._rows("Returned: 3.")
        for column in ("author_id", "email_from", "reply_to"):
            with self.subTest(column=column):
                self.assertEqual(ours[column], theirs[column])
        self.assertIsNone(ours["email_from"])

    def test_markup_of_others(self):
        """R4.6: nothing that somebody typed becomes markup."""
        _theirs, ours = self._rows("<script>alert(1)</script>")
        self.assertEqual(ours["body"], "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>")
