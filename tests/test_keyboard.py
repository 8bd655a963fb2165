import time

from odoo.tests import common, tagged

from .test_buy import BuyCommon

#: The keys that type nothing, or not themselves: their number, and what they type.
KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    " ": (32, " "),
    "ArrowDown": (40, ""),
}
SHIFT = 8
#: How many fields and links may come before what one is looking for.
PATIENCE = 30
#: Remembers how everything looks that can have the focus: an outline, a shadow or
#: another colour shows where it is.
REMEMBER = """
    window.lookOf = (element) => {
        const style = getComputedStyle(element);
        return ["outline", "boxShadow", "borderColor", "backgroundColor", "color",
            "textDecoration"].map((name) => style[name]).join();
    };
    window.looks = new Map(
        [...document.querySelectorAll("a, button, input, select, textarea")].map(
            (element) => [element, lookOf(element)]
        )
    );
"""
#: Says what is wrong with how the focus shows: nobody can go on who does not see where
#: he is.
HIDDEN = """
    (() => {
        const element = document.activeElement;
        const {left, top, width, height} = element.getBoundingClientRect();
        const above = document.elementFromPoint(left + width / 2, top + height / 2);
        if (!above || !(element.contains(above) || above.contains(element))) {
            return "is out of sight";
        }
        return lookOf(element) === looks.get(element) ? "looks as without it" : "";
    })()
"""


class Keyboard:
    """A person without a mouse."""

    def __init__(self, browser):
        self.browser = browser

    def ask(self, expression):
        answer = self.browser._websocket_request(
            "Runtime.evaluate",
            params={"expression": expression, "returnByValue": True},
        )
        return answer["result"].get("value")

    def wait(self, expression, trouble):
        """Wait until it is true, and return what it was at last."""
        end = time.monotonic() + 20
        while not (value := self.ask(expression)):
            if time.monotonic() > end:
                raise AssertionError(f"{trouble}: {self.ask('location.href')}")
            time.sleep(0.05)
        return value

    def press(self, key, modifiers=0):
        number, text = KEYS.get(key, (0, key))
        for kind, typed in (("keyDown", text), ("keyUp", "")):
            self.browser._websocket_request(
                "Input.dispatchKeyEvent",
                params={
                    "type": kind,
                    "key": key,
                    "text": typed,
                    "windowsVirtualKeyCode": number,
                    "modifiers": modifiers,
                },
            )

    def type(self, text):
        for character in text:
            self.press(character)

    def see(self, selector):
        """Wait until this is seen, the page has its JavaScript and nothing moves any
        more: nobody types faster."""
        self.wait(
            "!!document.querySelector('.o-main-components-container')"
            f" && !!document.querySelector(`{selector}`)?.checkVisibility()"
            " && !document.getAnimations().some((one) => one instanceof CSSTransition)",
            f"{selector} did not come",
        )

    def go_to(self, selector, back=False):
        """Move on, or back, to what can be used by the keyboard."""
        self.see(selector)
        self.ask(REMEMBER)
        for _try in range(PATIENCE):
            self.press("Tab", modifiers=SHIFT if back else 0)
            if self.ask(f"document.activeElement.matches(`{selector}`)"):
                trouble = f"{selector} has the focus, and {self.ask(HIDDEN)}"
                self.wait(f"!{HIDDEN}", trouble)
                return
        raise AssertionError(f"The keyboard does not lead to {selector}")

    def use(self, selector, key="Enter", back=False):
        self.go_to(selector, back=back)
        self.press(key)

    def choose(self, selector, label):
        """Choose in a list, down from where it is."""
        self.go_to(selector)
        for _try in range(PATIENCE):
            self.press("ArrowDown")
            if self.ask("document.activeElement.selectedOptions[0].text.trim()") == (
                label
            ):
                return
        raise AssertionError(f"{selector} does not have {label}")


@tagged("post_install", "-at_install")
class TestKeyboard(BuyCommon):
    """R11.2, R11.4: what a customer can do, the keyboard alone can do."""

    def walk(self, keyboard):
        """From the page of one who has nothing to a ticket."""
        offer = f".o_incident_offer:has(input[value='{self.pack.id}'])"
        keyboard.see("[name='nothing']")
        keyboard.use("a[name='new_ticket']")
        keyboard.choose("select[name='team']", "Paid support")
        keyboard.see(".o_incident_notice:not(.d-none) button[name='buy']")
        keyboard.go_to("input[name='subject']")
        keyboard.type("Mail server refuses")
        keyboard.go_to("textarea[name='description']")
        keyboard.type("Please help")
        keyboard.use("form button[name='buy']", back=True)
        keyboard.use(f"{offer} button[type='submit']", key=" ")
        keyboard.use("#o_sale_portal_paynow")
        keyboard.go_to("#o_payment_form input[name='customer_input']")
        keyboard.type("4242")
        keyboard.use("button[name='o_payment_submit_button']", key=" ")
        keyboard.see("[name='paid_order']")
        keyboard.use("a[name='continue']")
        keyboard.see("[name='continued']")
        keyboard.use("form[action='/submitted/ticket'] button[type='submit']")
        keyboard.see("[name='incident_count']")

    def test_from_no_incidents_to_submitted(self):
        """R11.2, R11.4: no incidents, type, buy, pay, continue, submitted: keys that
        are really pressed, nothing is clicked, and the focus is always seen."""
        self.env["helpdesk.ticket.team"].create(
            {"name": "Questions", "company_id": self.company.id}
        )
        self.patch(
            common.ChromeBrowser,
            "_wait_code_ok",
            lambda browser, code, timeout, error_checker=None: self.walk(
                Keyboard(browser)
            ),
        )
        for size, user in (("1280x900", self.user), ("390x844", self.other_user)):
            with self.subTest(size=size):
                self.browser_size = size
                self.browser_js("/my/incidents", "", login=user.login)
                ticket = self.env["helpdesk.ticket"].search(
                    [("partner_id", "=", user.partner_id.id)]
                )
                self.assertEqual(ticket.name, "Mail server refuses")
                self.assertEqual(ticket.incident_count, 1)
                self.assertEqual(ticket.incident_available, 9)
