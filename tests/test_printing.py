"""R3.6: what is printed and mailed follows the commit, at a server with two workers."""

import io
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from unittest import skipUnless

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, config
from odoo.tools.pdf import PdfFileWriter

from .common_concurrency import ConcurrencyCase

try:
    from _server import Server
    from _stress import load as stress
    from _stress.world import World
except ImportError:  # installed without its developer commands
    stress = None

#: How many are paid and charged; as many as four times half of that come as tickets.
#: Twenty take some minutes.
NUMBER = int(os.environ.get("PAID_SUPPORT_PRINTS") or 3)
SUBMITTERS = 4
#: No answer takes longer; in small, other tests run beside it. Who waits for a printer
#: that waits for him does so for a minute.
SECONDS = 10 if NUMBER > 3 else 30

#: What prints: it notes that, kills who has called it when it is told to, and is
#: wkhtmltopdf where the figures are to be real ones. Else it does of that what matters
#: to a server: it takes its time, and gets the style sheets of the page from there.
PRINTER = """#!{python}
import os, re, signal, sys, time, urllib.parse, urllib.request

if "--version" in sys.argv:
    print("wkhtmltopdf 0.12.6 (with patched qt)")
    sys.exit()
with open({log!r}, "a") as log:
    log.write("printed\\n")
if os.path.exists({deadly!r}):
    os.remove({deadly!r})
    os.kill(os.getppid(), signal.SIGKILL)
if {program!r}:
    os.execv({program!r}, [{program!r}, *sys.argv[1:]])
*_options, page, output = sys.argv[1:]
text = open(page, encoding="utf-8").read()
base = re.search(r'<base href="([^"]+)"', text)[1]
sheets = re.findall(r'<link[^>]*href="([^"]+\\.css[^"]*)"', text)
assert sheets, text
for sheet in sheets:
    urllib.request.urlopen(urllib.parse.urljoin(base, sheet), timeout=60).read()
time.sleep(0.3)
with open(output, "wb") as pdf:
    pdf.write({pdf!r})
"""


@tagged("post_install", "-at_install")
@skipUnless(stress, "dev/ is not there")
class TestPrinting(ConcurrencyCase):
    """R3.6, R10.3: payments and charges of a customer whose tickets come in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.printed = folder / "printed"
        cls.printed.touch()
        cls.deadly = folder / "deadly"
        real = shutil.which("wkhtmltopdf") if NUMBER > 3 else None
        page = io.BytesIO()
        writer = PdfFileWriter()
        writer.add_blank_page(99, 99)
        writer.write(page)
        printer = folder / "wkhtmltopdf"
        printer.write_text(
            PRINTER.format(
                python=sys.executable,
                log=str(cls.printed),
                deadly=str(cls.deadly),
                program=real,
                pdf=page.getvalue(),
            )
        )
        printer.chmod(0o755)
        world = World(cls.database)
        with world.transaction() as env:
            # All are due in a new database; a server that runs has done them long ago.
            tomorrow = fields.Datetime.now() + timedelta(days=1)
            env["ir.cron"].search([]).nextcall = tomorrow
        cls.server = Server(cls.database, workers=2, actions=1, programs=folder)
        cls.addClassCleanup(cls.server.close)
        files = Path(config["data_dir"], "filestore", cls.database)
        cls.addClassCleanup(shutil.rmtree, files, ignore_errors=True)
        with world.transaction() as env:
            parameters = env["ir.config_parameter"]
            parameters.set_param("report.url", cls.server.url)
            parameters.set_param("sale.automatic_invoice", True)
            # Enough for each ticket, from the beginning.
            env["helpdesk.incident.account"].browse(world.account_id)._adjust(
                4 * NUMBER, "more"
            )
        cls.load = stress.Load(
            world,
            cls.server,
            (
                (stress.Submitter, SUBMITTERS),
                (stress.OnlineBuyer, 1),
                (stress.Charger, 1),
            ),
        )

    def test_printing(self):
        """All are answered soon; each document is mailed with its PDF, once."""
        answers, waits = self.load.answers, []

        def work(client):
            def note(answer, **kwargs):
                waits.append((answer.elapsed.total_seconds(), answer.url))

            client.session.hooks["response"].append(note)
            number = NUMBER
            if client.kind == "submit":
                number = -(-NUMBER * 2 // SUBMITTERS)
            for _n in range(number):
                if client.kind == "online":
                    client.buy("done")
                else:
                    client.once()

        start = time.monotonic()
        with ThreadPoolExecutor(len(self.load.clients)) as pool:
            list(pool.map(work, self.load.clients))
        waits.sort()
        sys.stdout.write(
            f"\n{dict(answers.counts)}: {len(waits)} requests in"
            f" {time.monotonic() - start:.1f} s, median {waits[len(waits) // 2][0]:.2f}"
            f" s, longest {waits[-1]}, load {os.getloadavg()[0]:.1f}"
        )
        answers.possible["more"] = {4 * NUMBER}
        self._wait_for_mails()
        sys.stdout.write(
            f"; {self.prints()} printed, all mailed after"
            f" {time.monotonic() - start:.1f} s\n"
        )
        self.assertEqual(answers.total("done"), answers.total(), answers.reasons)
        self.assertLess(waits[-1][0], SECONDS, waits[-1])
        self.assertEqual(self.load.differences(), [])
        self._check_mails()

    def prints(self):
        return len(self.printed.read_text().split())

    def _wait_for_mails(self):
        deadline = time.monotonic() + 30 * NUMBER
        while time.monotonic() < deadline:
            with self.transaction() as env:
                if not env["helpdesk.incident.outbox"].search_count([]):
                    return
            time.sleep(0.1)
        self.fail("not all was printed")

    def _check_mails(self):
        """Each order and each invoice was mailed with its PDF, once."""
        with self.transaction() as env:
            rows = env.execute_query(
                SQL(
                    """
                    SELECT attachment.name, COUNT(*)
                      FROM mail_message message
                      JOIN message_attachment_rel rel ON rel.message_id = message.id
                      JOIN ir_attachment attachment ON attachment.id = rel.attachment_id
                     GROUP BY attachment.name
                    """
                )
            )
            orders = env["sale.order"].search([("state", "=", "sale")])
            invoices = env["account.move"].search([("move_type", "=", "out_invoice")])
            sent = invoices.mapped("is_move_sent")
        self.assertEqual({number for _name, number in rows}, {1}, rows)
        self.assertEqual(len(rows), len(orders) + len(invoices), rows)
        self.assertTrue(all(sent))
        # Who finds the document changed meanwhile prints it anew, and mails it once.
        self.assertGreaterEqual(self.prints(), len(rows))

    def test_killed_while_printing(self):
        """R3.6: who prints is killed; another one prints it, and it is mailed once."""
        [charger] = [c for c in self.load.clients if c.kind == "charge"]
        before = self.prints()
        self.deadly.touch()
        charger.once()
        deadline = time.monotonic() + 60
        while self.deadly.exists():
            self.assertLess(time.monotonic(), deadline, "nobody prints")
            time.sleep(0.1)
        with self.transaction() as env:
            self.assertTrue(env["helpdesk.incident.outbox"].search_count([]))
        # Whoever takes the place of the dead looks after a minute, or when there is
        # something to do.
        time.sleep(3)
        charger.once()
        self._wait_for_mails()
        self._check_mails()
        self.assertGreaterEqual(self.prints() - before, 3)
