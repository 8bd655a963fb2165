from odoo.tests import new_test_user, tagged

from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestKept(RenewalCommon):
    """R9.9: what is ordered for a subscription keeps what was agreed on with the last
    order, and nobody's contact is OdooBot."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.email = "shop@example.com"
        cls.seller = new_test_user(
            cls.env,
            "hps-seller",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.reseller = cls._customer("Reseller")

    def agreed(self):
        """Buy the plan through a reseller, with all that can be agreed on."""
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Partners",
                "currency_id": self.company.currency_id.id,
                "company_id": self.company.id,
                "item_ids": [
                    (0, 0, {"compute_price": "percentage", "percent_price": 10})
                ],
            }
        )
        order = self.quotation(
            self.months,
            partner_invoice_id=self.reseller.id,
            client_order_ref="PO 7",
            pricelist_id=pricelist.id,
            payment_term_id=self.pay_terms_b.id,
            fiscal_position_id=self.env["account.fiscal.position"]
            .create({"name": "Partners", "company_id": self.company.id})
            .id,
            user_id=self.seller.id,
            team_id=self.env["crm.team"].create({"name": "Partners"}).id,
        )
        self.transaction(order)
        return order

    def assertKept(self, order, last):
        for name in (
            *("partner_invoice_id", "partner_shipping_id", "client_order_ref"),
            *("pricelist_id", "payment_term_id", "fiscal_position_id", "user_id"),
            "team_id",
        ):
            self.assertTrue(last[name], name)
            self.assertEqual(order[name], last[name], name)

    def test_kept(self):
        """R9.9: by extra incidents, a change, a renewal by hand and by itself."""
        last = self.agreed()
        subscription = self.subscription(last).sudo()
        self.assertKept(subscription._order_extra(2), last)
        self.assertKept(subscription._order_change(self.business), last)
        self.assertKept(subscription._order_renewal(extra=1), last)
        subscription._supersede()
        subscription._set_auto_renew(True)
        self.subscription_one._set_auto_renew(False)
        self.token()
        with self.on("2027-07-03"):
            self.run_renewal()
        order = self.renewals(subscription)[-1]
        self.assertEqual((order.state, order.amount_total), ("sale", 81))
        self.assertKept(order, last)
        invoice = self.bill(order)
        self.assertEqual(invoice.partner_id, self.reseller)
        self.assertEqual(invoice.ref, "PO 7")
        self.assertEqual(invoice.invoice_user_id, self.seller)

    def test_not_from_the_balance_of_somebody_else(self):
        """R9.9, R11.4: what the reseller is invoiced for is not paid from the account
        balance of the customer."""
        subscription = self.subscription(self.agreed()).sudo()
        subscription._set_auto_renew(True)
        self.subscription_one._set_auto_renew(False)
        self.pay(500)
        with self.on("2027-07-03"):
            self.run_renewal()
        self.assertEqual(subscription.renewal_problem, "method")
        self.assertEqual(self.customer._incident_account_balance(self.company), 500)

    def test_archived_since(self):
        """R9.9: what was archived since is looked up anew."""
        last = self.agreed()
        last.pricelist_id.active = False
        self.seller.active = False
        order = self.subscription(last).sudo()._order_renewal()
        self.assertNotEqual(order.pricelist_id, last.pricelist_id)
        self.assertEqual(order.amount_total, 90)
        self.assertNotEqual(order.user_id, self.seller)
        self.assertEqual(order.client_order_ref, "PO 7")

    def test_nobody_is_odoobot(self):
        """R9.9: the order, its invoice and its mails of a renewal that nobody has had a
        hand in."""
        self.customer.user_id = False
        self.subscription_one.term_ids.sale_line_id.order_id.user_id = self.env.ref(
            "base.user_root"
        )
        self.pay(1000)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        order = self.renewals()
        bot = self.env.ref("base.partner_root")
        self.assertFalse(order.user_id)
        self.assertNotIn(bot, order.invoice_ids.invoice_user_id.partner_id)
        template = order._get_confirmation_template()
        values = template._generate_template(order.ids, ("email_from",))
        self.assertIn("shop@example.com", values[order.id]["email_from"])
        mail = self.mails("was renewed")
        self.assertIn("shop@example.com", mail.email_from)
        self.assertNotIn("odoobot", mail.reply_to or "")
        self.assertNotEqual(mail.author_id, bot)
