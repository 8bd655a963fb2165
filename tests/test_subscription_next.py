from odoo.tests import tagged

from .test_subscription_portal import MAY_20, SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestNextRenewal(SubscriptionPortalCommon):
    """R9.7: when a renewal takes how much from what. 3 months, bought on April 11 for
    90.00, are renewed 7 days before July 10."""

    SHOWN = "//*[@name='next_renewal']"
    OFFER = "//*[@name='could_renew']"

    def setUp(self):
        super().setUp()
        self.sub = self.bought(customer=self.user.partner_id)
        self.log_in()

    def card(self, partner):
        return (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": partner.id,
                    "provider_ref": "demo",
                    "payment_details": "4242",
                    "demo_simulated_state": "done",
                }
            )
        )

    def words(self):
        page = self.page(self.path(self.sub))
        return self.text(page, self.SHOWN).replace("\xa0", " ")

    def test_when_how_much_from_what(self):
        """R9.7: 90.00 and 3 × 2 extra incidents of 4.00 on July 3."""
        self.paid(self.sub._order_extra(2))
        self.assertEqual(
            self.words(),
            "It would renew on Jul 3, 2027 for $ 114.00. It is paid from your account "
            "balance. No payment method is saved: where the balance does not suffice, "
            "we send you the order.",
        )
        self.card(self.user.partner_id)
        self.send(self.sub, "auto_renew", value="on")
        self.assertRegex(
            self.words(),
            r"^Renews on Jul 3, 2027 for \$ 114.00. It is paid from your account "
            r"balance, else with .+ 4242\.$",
        )
        with self.on("2027-07-05"):
            self.log_in()
            self.assertIn("on Jul 5, 2027", self.words())
            self.sub.renewal_tried = "2027-07-05"
            self.assertIn("on Jul 6, 2027", self.words())

    def test_method_of_a_colleague(self):
        """R9.7: whose it is, and no more."""
        nils = self._portal_user("nils", self.customer).partner_id
        self.card(nils)
        self.assertIn("No payment method", self.words())
        self.sub.write({"auto_renew": True, "agreed_partner_id": nils.id})
        text = self.words()
        self.assertIn("saved payment method of Nils", text)
        self.assertNotIn("4242", text)

    def test_given_before_it_is_paid(self):
        """R8.11: where incidents are given before they are paid, an invoice follows,
        and no card is charged."""
        self.card(self.user.partner_id)
        self.customer.incident_grant_on = "confirmed"
        self.assertEqual(
            self.words(),
            "It would renew on Jul 3, 2027 for $ 90.00. It is paid from your account "
            "balance. Where the balance does not suffice, we send you the invoice, "
            "which you pay later.",
        )
        reseller = self._customer("Reseller")
        self.sub.term_ids.sale_line_id.order_id.sudo().partner_invoice_id = reseller
        self.assertIn("for $ 90.00. Reseller gets the invoice.", self.words())

    def test_invoiced_to_a_reseller(self):
        """R9.9: the customer's balance pays nothing that somebody else is invoiced
        for."""
        reseller = self._customer("Reseller")
        self.sub.term_ids.sale_line_id.order_id.sudo().partner_invoice_id = reseller
        self.assertIn(
            "for $ 90.00. No payment method is saved: we send you the order.",
            self.words(),
        )
        nils = self._portal_user("nils", self.customer).partner_id
        self.card(nils)
        self.sub.write({"auto_renew": True, "agreed_partner_id": nils.id})
        self.assertIn(
            "for $ 90.00. It is paid with the saved payment method of Nils.",
            self.words(),
        )
        self.card(self.user.partner_id)
        self.sub.agreed_partner_id = self.user.partner_id
        self.assertRegex(self.words(), r"for \$ 90.00. It is paid with .+ 4242\.$")

    def test_dearer(self):
        """R9.7: what was not agreed to is said beforehand."""
        self.sub.auto_renew = True
        self.months.list_price = 120
        text = self.words()
        self.assertIn("$ 120.00 instead of $ 90.00", text)
        self.assertIn("nothing is taken before you confirm", text)

    def test_nothing_to_say(self):
        """R9.7: a plan that is not sold, and an attempt that failed."""
        self.sub.auto_renew = True
        self.sub.renewal_problem = "method"
        self.assertFalse(self.words())
        self.sub.renewal_problem = False
        self.months.sale_ok = False
        self.assertFalse(self.words())

    def test_scheduled_change(self):
        """R9.6: nothing happens unless it is renewed; with automatic renewal, the new
        plan's price is the one that is taken."""
        shown = "//*[@name='unless_renewed']"
        with self.on(MAY_20):
            self.log_in()
            page = self.send(self.sub, "change", plan=self.small.id)
            self.assertIn(
                "when you renew the subscription", self.text(page, "//*[@name='done']")
            )
            self.assertIn("it ends on Jul 10, 2027", self.text(page, shown))
            page = self.send(self.sub, "auto_renew", value="on")
            self.assertFalse(page.xpath(shown))
            self.assertIn("for $ 20.00", self.words())

    def test_offered_after_saving(self):
        """R9.7: where a payment method was saved, and after an order that saved one;
        not to who has switched it on."""
        methods = "/my/payment_method"
        self.assertFalse(self.page(methods).xpath(self.OFFER))
        card = self.card(self.user.partner_id)
        page = self.page(methods)
        text = self.text(page, self.OFFER)
        self.assertIn("Standard support, 3 months", text)
        self.assertIn("It would renew on", text)
        order = self.sub.term_ids.sale_line_id.order_id
        landing = f"/my/incidents?order_id={order.id}"
        self.assertFalse(self.page(landing).xpath(self.OFFER))
        order.transaction_ids.token_id = card
        self.assertTrue(self.page(landing).xpath(self.OFFER))
        self.assertFalse(self.sub.auto_renew)
        [path] = page.xpath(f"{self.OFFER}//form/@action")
        self.post(path, value="on")
        self.assertTrue(self.sub.auto_renew)
        for path in (methods, landing):
            self.assertFalse(self.page(path).xpath(self.OFFER))
        # Nobody else's.
        self.authenticate("hps-bella", "hps-bella")
        self.card(self.other_user.partner_id)
        self.sub.auto_renew = False
        for path in (methods, landing):
            self.assertFalse(self.page(path).xpath(self.OFFER))
