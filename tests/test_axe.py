import json
import os
from pathlib import Path
from unittest import skipUnless

from odoo.tests import tagged

from .test_subscription_portal import SubscriptionPortalCommon

AXE = os.environ.get("PAID_SUPPORT_AXE")
#: What belongs to core's own frame, and to the pages of tickets of `helpdesk_mgmt`: the
#: beginning of the paths, the rule, and the part of the page, as a selector.
LISTED = [
    ("/my", "html-has-lang", "html"),  # told by `website`
    ("/new", "html-has-lang", "html"),
    ("/my/home", "image-alt", ".o_portal_icon"),
    ("/my/home", "heading-order", "h5"),
    ("/my/home", "page-has-heading-one", "html"),
    ("/my/tickets", "button-name", ".o_portal_navbar, .o_portal_search_panel"),
    ("/my/tickets", "landmark-unique", ".navbar-expand"),
    ("/my/ticket", "page-has-heading-one", "html"),
    ("/my/ticket", "heading-order", "h5"),
    ("/my/orders", "page-has-heading-one", "html"),
    ("/my/orders", "heading-order", "#sale_info_title, .o_portal_sidebar h6"),
]
#: Opens one page after the other in a frame, runs axe in it, and tells what it found.
RUN = """
(async () => {
    const source = %(source)s, paths = %(paths)s, listed = %(listed)s;
    const frame = document.createElement("iframe");
    frame.style = `position: fixed; inset: 0; width: 100vw; height: 100vh;
        z-index: 9999; background: white`;
    document.body.append(frame);
    const found = [];
    for (const path of paths) {
        await new Promise((resolve) => {
            frame.onload = resolve;
            frame.src = path;
        });
        const view = frame.contentWindow;
        await new Promise((resolve) => setTimeout(resolve, 300));
        view.eval(source);
        const results = await view.axe.run(view.document, {
            resultTypes: ["violations"],
        });
        for (const violation of results.violations) {
            for (const node of violation.nodes) {
                const [target] = node.target.slice(-1);
                const element = view.document.querySelector(target);
                if (
                    listed.some(
                        ([start, rule, part]) =>
                            path.startsWith(start) &&
                            rule === violation.id &&
                            element?.closest(part)
                    )
                ) {
                    continue;
                }
                found.push(
                    `${path} ${violation.id} ${target}: ${node.html.slice(0, 200)}`
                );
            }
        }
        if (!results.passes.length) {
            found.push(`${path}: nothing was looked at`);
        }
    }
    if (found.length) {
        console.error(`${found.length} obstacles:\\n${found.join("\\n")}`);
    } else {
        console.log("test successful");
    }
})();
"""


@tagged("post_install", "-at_install")
@skipUnless(AXE, "axe is fetched by dev/test")
class TestAxe(SubscriptionPortalCommon):
    """R11.4: people with disabilities can use every page: axe finds nothing but what
    is core's."""

    def look_at(self, paths, login, size="1280x900"):
        self.browser_size = size
        code = RUN % {
            "source": json.dumps(Path(AXE).read_text()),
            "paths": json.dumps(paths),
            "listed": json.dumps(LISTED),
        }
        self.browser_js(paths[0], code, login=login, timeout=180)

    def client_area(self):
        """Return the pages of a customer who has something of everything."""
        order = self.order(self.business)
        self.transaction(order)
        subscription = self.subscription(order)
        waiting = self.quotation(self.pack, partner_id=self.user.partner_id.id)
        waiting.action_quotation_sent()
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "partner_id": self.user.partner_id.id,
                "company_id": self.company.id,
                "team_id": self.team.id,
            }
        )
        ticket.incident_count = 1
        self.company.helpdesk_mgmt_portal_select_team = True
        one = f"/my/incidents/subscription/{subscription.id}"
        return [
            "/my/home",
            "/my/incidents",
            "/my/incidents/statement",
            "/my/incidents/statement/print",
            "/my/incidents/buy",
            "/my/incidents/funds",
            one,
            f"{one}/renew",
            f"{one}/extra",
            f"{one}/change",
            "/new/ticket",
            "/my/tickets",
            f"/my/ticket/{ticket.id}",
            waiting.get_portal_url(),
        ]

    def test_client_area(self):
        """R11.4: every page of the client area, as wide as a screen and as a phone."""
        paths = self.client_area()
        for size in ("1280x900", "390x844"):
            with self.subTest(size=size):
                self.look_at(paths, "hps-nora", size)
