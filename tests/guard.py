"""R3.6, in every test: nothing is printed, mailed or asked of a provider while an
account is locked.

What was locked is forgotten with the transaction. A test, however, is one transaction:
there it counts for the statement of the test that has locked something, as if that were
committed. In a request, or a scheduled action, it counts until they commit.
"""

import functools
import os
import sys

from odoo.modules import module

from odoo.addons.base.models.ir_actions_report import IrActionsReport
from odoo.addons.helpdesk_paid_support.models.ledger.account_lock import (
    LOCKED,
    HelpdeskIncidentAccount,
)
from odoo.addons.mail.models import mail_thread
from odoo.addons.mail.models.mail_mail import MailMail
from odoo.addons.payment.models.payment_transaction import PaymentTransaction

FOLDER = os.path.dirname(__file__) + os.sep
HERE = globals()
STATEMENT = "helpdesk_paid_support.tests.statement"


def statement():
    """Return the statement of a test, or of what helps it, that has called the module
    or Odoo; None where no test is being executed, as in a thread that answers."""
    frames, frame = [], sys._getframe(1)
    while frame:
        frames.append(frame)
        frame = frame.f_back
    found = None
    for frame in reversed(frames):
        if frame.f_code.co_filename.startswith(FOLDER) and frame.f_globals is not HERE:
            found = frame
        elif found and "hypothesis" in frame.f_code.co_filename:
            found = None  # it goes on below
        elif found:
            break
    return found and (id(found), found.f_lasti)


def committed(env):
    """Begin anew, as if this transaction were committed: between the events of a test
    that plays many by one statement."""
    env.cr.prerollback.data.pop(LOCKED, None)


def refuse_under_lock(env, what):
    """Fail the test if this transaction has locked an account."""
    data = env.cr.prerollback.data
    if LOCKED not in data or data.get(STATEMENT) != statement():
        return
    message = f"{what} while an account is locked"
    # Not by the error alone: those of printing and mailing are caught.
    if hasattr(module.current_test, "addCleanup"):
        module.current_test.addCleanup(module.current_test.fail, message)
    raise AssertionError(message)


def watch(owner, name, what, harmless=None):
    """Let a method of Odoo fail the test under a lock."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(self, *args, **kwargs):
        if not (harmless and harmless(self)):
            refuse_under_lock(self.env, what)
        return original(self, *args, **kwargs)

    setattr(owner, name, watched)


def note_lock(original):
    @functools.wraps(original)
    def noted(self):
        original(self)
        self.env.cr.prerollback.data[STATEMENT] = statement()

    return noted


HelpdeskIncidentAccount._note_lock = note_lock(HelpdeskIncidentAccount._note_lock)
watch(IrActionsReport, "_pre_render_qweb_pdf", "A report is printed")
# In tests, Odoo sends at once what it sends after the commit.
watch(
    MailMail,
    "_send",
    "A mail is sent",
    lambda mails: mails.env.context.get("incident_committed"),
)
watch(
    mail_thread.MailThread,
    "_web_push_send_notification",
    "A browser is told",
)
# Before each request to a provider.
watch(PaymentTransaction, "_log_sent_message", "A provider is asked for money")
watch(PaymentTransaction, "_get_processing_values", "A provider is asked for a form")
