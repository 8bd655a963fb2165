"""Takes the pictures, in an environment of its own."""

import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import TimeoutError, sync_playwright

DOCS, APP = "docs/images", "static/description"
ACTION = "/odoo/action-helpdesk_paid_support."


class Picture(NamedTuple):
    """A page, as somebody sees it."""

    name: str
    login: str
    #: where it is; {words} are external ids of the demo data
    path: str
    width: int = 1280
    #: None: as high as the page
    height: int | None = 740
    #: what is chosen before: the name of the field, and what is chosen in it
    choices: tuple = ()
    #: and what is clicked on then
    clicks: tuple = ()
    #: where it is kept
    folders: tuple = (DOCS,)


PICTURES = [
    Picture("portal-incidents", "nora", "/my/incidents", height=None),
    Picture("portal-incidents-phone", "nora", "/my/incidents", 390, None),
    Picture(
        "portal-new-ticket",
        "bella",
        "/new/ticket",
        1100,
        None,
        choices=(("team", "Technical support"),),
        folders=(DOCS, APP),
    ),
    Picture("portal-statement", "nora", "/my/incidents/statement", height=1100),
    Picture("portal-buy", "carl", "/my/incidents/buy", 1280, None),
    Picture(
        "portal-subscription",
        "bella",
        "/my/incidents/subscription/{subscription}",
        1100,
        None,
    ),
    Picture(
        "portal-change-plan",
        "bella",
        "/my/incidents/subscription/{subscription}/change",
        1100,
        None,
    ),
    Picture("portal-parked", "carl", "/my/ticket/{waiting}", 1100, 620),
    Picture("portal-ticket", "bella", "/my/ticket/{ticket_down}", 1100, 620),
    Picture(
        "onboarding",
        "manager",
        ACTION + "helpdesk_incident_onboarding_action",
        height=700,
        folders=(DOCS, APP),
    ),
    Picture(
        "setup-steps",
        "manager",
        "/odoo/action-helpdesk_mgmt.helpdesk_ticket_dashboard_action",
        height=700,
    ),
    Picture("dashboard", "manager", ACTION + "helpdesk_incident_dashboard_action_open"),
    Picture(
        "incidents-list",
        "manager",
        ACTION + "helpdesk_incident_account_action",
        height=640,
        folders=(DOCS, APP),
    ),
    Picture(
        "account-form",
        "manager",
        ACTION + "helpdesk_incident_account_action/{account}",
        folders=(DOCS, APP),
    ),
    Picture(
        "ticket-form",
        "agent",
        "/odoo/action-helpdesk_mgmt.helpdesk_ticket_action/{ticket_restore}",
        height=1000,
    ),
    Picture(
        "ticket-charge",
        "charger",
        "/odoo/action-helpdesk_mgmt.helpdesk_ticket_action/{ticket_mail}",
        height=760,
        clicks=("Charge",),
    ),
    Picture(
        "entries-analysis",
        "manager",
        ACTION + "helpdesk_incident_entry_action_analysis",
    ),
    Picture(
        "unearned-chart",
        "accountant",
        ACTION + "helpdesk_incident_unearned_part_action",
        height=640,
    ),
    Picture(
        "balances",
        "accountant",
        ACTION + "helpdesk_incident_customer_balance_action",
        height=400,
    ),
    Picture(
        "unearned-months",
        "accountant",
        ACTION + "helpdesk_incident_unearned_wizard_action",
        height=640,
        clicks=("Totals by month",),
    ),
]


def main(browser, url, checkout, only):
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        ids = known_ids(logged_in(chromium, url, "admin"))
        pages = {}
        for picture in PICTURES:
            if only not in picture.name:
                continue
            if picture.login not in pages:
                pages[picture.login] = logged_in(chromium, url, picture.login)
            page = pages[picture.login]
            said = take(page, url, picture, ids, Path(checkout))
            print(f"  {picture.name}", *said, sep="\n    ", flush=True)


def logged_in(chromium, url, login):
    """Return a page of a browser in which somebody has logged in."""
    page = chromium.new_context().new_page()
    page.goto(f"{url}/web/login")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", login)
    page.click("form.oe_login_form button[type=submit]")
    settle(page)
    return page


def settle(page):
    """Wait until the page is quiet; the backend keeps a connection open, so not for
    ever."""
    try:
        page.wait_for_load_state("networkidle", timeout=6000)
    except TimeoutError:
        pass
    page.wait_for_timeout(700)


def known_ids(page):
    """Return the ids of the demo records by their external ids, and of a few that have
    none."""
    url = page.url.split("/odoo")[0].split("/web")[0]

    def search(model, domain, fields):
        answer = page.request.post(
            f"{url}/web/dataset/call_kw",
            data={
                "jsonrpc": "2.0",
                "params": {
                    "model": model,
                    "method": "search_read",
                    "args": [domain, fields],
                    "kwargs": {},
                },
            },
        ).json()
        return answer["result"]

    ids = {
        row["name"]: row["res_id"]
        for row in search(
            "ir.model.data",
            [["module", "=", "helpdesk_paid_support"]],
            ["name", "res_id"],
        )
    }
    of_bakery = [["partner_id", "=", ids["partner_blue_bakery"]]]
    of_northwind = [["partner_id", "=", ids["partner_northwind"]]]
    for name, model, domain in (
        ("subscription", "helpdesk.incident.subscription", of_bakery),
        ("account", "helpdesk.incident.account", of_northwind),
        (
            "waiting",
            "helpdesk.ticket",
            [
                ["incident_state", "=", "parked"],
                ["partner_id", "=", ids["partner_carl"]],
            ],
        ),
    ):
        ids[name] = search(model, domain, ["id"])[0]["id"]
    return ids


def take(page, url, picture, ids, checkout):
    """Take a picture.

    :return: what the browser's console has complained about
    """
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    size = {"width": picture.width, "height": picture.height or 900}
    page.set_viewport_size(size)
    page.goto(url + picture.path.format_map(ids))
    settle(page)
    for name, words in picture.choices:
        page.locator(f"select[name={name}]").select_option(label=words)
        settle(page)
    for words in picture.clicks:
        page.get_by_role("button", name=words, exact=True).first.click()
        settle(page)
    page.mouse.move(0, 0)
    for folder in picture.folders:
        path = checkout / folder / f"{picture.name}.png"
        page.screenshot(path=path, full_page=picture.height is None)
        # A third of the bytes, and nobody sees the difference.
        Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
    return said


if __name__ == "__main__":
    main(*sys.argv[1:])
