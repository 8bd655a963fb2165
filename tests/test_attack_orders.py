import json

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.models.selling import sale_order_portal

from .common_attack import AttackCommon

#: Quantities below zero, as numbers and as texts; and what is none at all, which core
#: refuses as a fault of the program that sends it.
BELOW_ZERO = (-8.99, -0.01, -1, -(10**15), "-8.99", " -1 ")
NO_NUMBERS = (
    *map(float, ("nan", "inf", "-inf")),
    "NaN",
    "Infinity",
    "abc",
    [1],
    {1: 1},
)
REFUSED = "odoo.exceptions.UserError"


@tagged("post_install", "-at_install")
class TestAttackOrders(AttackCommon):
    """R8.3, R11.6: what core lets customers, and whoever has a link, do with orders."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.day = cls.plan("Day on site", 50)
        cls.gift = cls.plan("Gift", 0, "lifetime", 10)

    def offer(self, *options):
        """Return a quotation of staff: 3 plans of 150.00, and optional lines.

        :param options: products, quantities and prices.
        """
        order = self.quotation(
            self.business,
            customer=self.user.partner_id,
            quantity=3,
            require_signature=True,
            require_payment=False,
        )
        order.order_line = [
            Command.create(
                {"display_type": "line_section", "name": "Extra", "is_optional": True}
            ),
            *(
                Command.create({"product_id": product.id, "product_uom_qty": quantity})
                for product, quantity, _price in options
            ),
        ]
        for line, (_product, _quantity, price) in zip(
            order.order_line[2:], options, strict=True
        ):
            # as in the form: what is typed later stays
            line.price_unit = price
        order.action_quotation_sent()
        return order

    def update(self, line, quantity=False, **params):
        """Ask for a quantity of an optional line, as the order's page does.

        :return: the name of the error that is answered, None if there is none.
        """
        params |= {"line_id": line.id, "input_quantity": quantity}
        answer = self.call(f"/my/orders/{line.order_id.id}/update_line_dict", **params)
        self.env.invalidate_all()
        return answer.get("error") and answer["error"]["data"]["name"]

    def call(self, path, **params):
        """Send JSON as a script can, with numbers that are none."""
        return self.url_open(
            path,
            data=json.dumps({"params": params}),
            headers={"Content-Type": "application/json"},
            timeout=60,
        ).json()

    # -- prices -------------------------------------------------------------------

    def test_quantities_below_zero(self):
        """R8.3: neither the customer nor whoever has the link sets a quantity below
        zero, or what is none; what the order costs stays."""
        order = self.offer((self.day, 1, 50))
        option = order.order_line[-1]
        self.assertEqual(order.amount_total, 500)
        token = order._portal_ensure_token()
        for role, params in (("own", {}), ("public", {"access_token": token})):
            self.act_as(role)
            for quantity in BELOW_ZERO:
                with self.subTest(role=role, quantity=quantity), self.assertNoFault():
                    self.assertEqual(self.update(option, quantity, **params), REFUSED)
                    self.assertEqual(order.amount_total, 500)
            for quantity in NO_NUMBERS:
                with self.subTest(role=role, quantity=quantity):
                    self.assertTrue(self.update(option, quantity, **params))
                    self.assertEqual(order.amount_total, 500)

    def test_taken_off(self):
        """R8.3: what staff offers as optional can be taken off, and taken again."""
        order = self.offer((self.day, 1, 50), (self.pack, 1, 60))
        _plan, _section, option, plan = order.order_line
        self.act_as("own")
        for line, price in ((option, 50), (plan, 60)):
            self.assertIsNone(self.update(line, remove=True))
            self.assertEqual(order.amount_total, 560 - price)
            self.assertIsNone(self.update(line, remove=True))
            self.assertEqual(line.product_uom_qty, 0)
            self.assertIsNone(self.update(line, 2))
            self.assertEqual(order.amount_total, 560 + price)
            self.assertIsNone(self.update(line, 1))
        # R8.2: plans in whole units
        self.assertTrue(self.update(plan, 0.5))
        self.assertEqual(order.amount_total, 560)

    def test_more_of_a_discount(self):
        """R8.3: of what staff offers for less than nothing, or of a plan for nothing,
        nobody takes more than is offered."""
        order = self.offer((self.day, 0, -20), (self.gift, 3, 0))
        _plan, _section, discount, gift = order.order_line
        self.act_as("own")
        self.assertIsNone(self.update(discount, 1))
        self.assertEqual(order.amount_total, 430)
        self.assertEqual(self.update(discount), REFUSED)
        self.assertEqual(self.update(discount, 22), REFUSED)
        self.assertEqual(order.amount_total, 430)
        self.assertIsNone(self.update(discount, 0))
        self.assertEqual(order.amount_total, 450)
        self.assertEqual(self.update(gift, 4), REFUSED)
        self.assertIsNone(self.update(gift, 2))
        self.assertEqual(gift.product_uom_qty, 2)

    def test_orders_without_plans(self):
        """R8.3: what else a shop sells goes as core lets it go."""
        order = self.offer((self.day, 1, 50))
        order.order_line[0].unlink()
        self.act_as("own")
        self.assertIsNone(self.update(order.order_line[-1], -1))
        self.assertEqual(order.amount_total, -50)

    def test_staff_may(self):
        """R8.3: staff takes back what it likes to, and gives discounts."""
        order = self.offer((self.day, 1, 50))
        order.order_line[-1].product_uom_qty = -2
        self.assertEqual(order.amount_total, 350)
        order.order_line[-1].write({"product_uom_qty": 5, "price_unit": -20})
        self.assertEqual(order.amount_total, 350)

    # -- paying -------------------------------------------------------------------

    def pay_online(self, order, **values):
        """Pay an order as the payment page does, with other values; the provider
        answers that it is done.

        :return: the name of the error that is answered, None if there is none.
        """
        transactions = self.env["payment.transaction"].sudo()
        last = transactions.search([], limit=1, order="id desc")
        answer = self.call(
            f"/my/orders/{order.id}/transaction",
            **{
                "access_token": order._portal_ensure_token(),
                "provider_id": self.demo.id,
                "payment_method_id": self.demo.payment_method_ids[:1].id,
                "token_id": None,
                "amount": order.amount_total,
                "flow": "direct",
                "tokenization_requested": False,
                "landing_route": "/my",
                **values,
            },
        )
        if "error" in answer:
            return answer["error"]["data"]["name"]
        transaction = transactions.search([("id", ">", last.id)])
        if transaction.state == "draft":
            self.call(
                "/payment/demo/simulate_payment",
                reference=transaction.reference,
                payment_details="1",
                simulated_state="done",
            )
        self.call("/payment/status/poll")
        self.env.invalidate_all()
        self.assertEqual(transaction.state, "done")
        return None

    def test_what_is_no_payment(self):
        """R8.3: too little, nothing, less than nothing, and what only looks whether a
        card is good, pay for nothing."""
        for role in ("own", "public"):
            self.act_as(role)
            price = self.waiting.amount_total
            for values in (
                *({"amount": amount} for amount in (price - 0.01, 0, -price, None)),
                {"amount": price, "is_validation": True},
            ):
                with self.subTest(role=role, values=values), self.undone():
                    self.assertIsNone(self.pay_online(self.waiting, **values))
                    self.assertEqual(self.waiting.state, "sent")
                    self.assertEqual(self.account._numbers(), self.before["numbers"])
            for amount in (*map(float, ("nan", "inf", "-inf")), "NaN", "abc", [], {}):
                with self.subTest(role=role, amount=amount):
                    self.pay_online(self.waiting, amount=amount)
                    self.assertUntouched()
            with self.undone():
                self.assertIsNone(self.pay_online(self.waiting))
                self.assertEqual(self.waiting.state, "sale")

    def test_providers_that_are_not_offered(self):
        """R8.3, R2.3: nobody pays by what staff only tries out, has switched off, or
        another company uses, and saves no card there."""
        other = self.setup_other_company(name="Sandbox")["company"]
        elsewhere = self.demo.sudo().copy({"company_id": other.id})
        elsewhere.write({"is_published": True, "state": "test"})
        for role in ("own", "public"):
            self.act_as(role)
            for values, changed in (
                ({}, {"is_published": False}),
                ({}, {"is_published": False, "state": "disabled"}),
                ({"is_validation": True}, {"is_published": False}),
                ({"provider_id": elsewhere.id}, {}),
            ):
                with self.subTest(role=role, values=values), self.undone():
                    self.demo.write(changed)
                    error = self.pay_online(self.waiting, **values)
                    self.assertEqual(error, REFUSED)
                    self.assertEqual(self.waiting.state, "sent")

    def test_cards_of_others(self):
        """R11.6: nobody pays with a card that somebody else has saved, of the same
        customer or not; only with one of his own, or of the customer."""
        colleague = self._portal_user("nils", self.customer)
        for holder, error in (
            (self.other_user.partner_id, "odoo.exceptions.AccessError"),
            (colleague.partner_id, REFUSED),
            (self.customer, None),
            (self.user.partner_id, None),
        ):
            token = (
                self.env["payment.token"]
                .sudo()
                .create(
                    {
                        "provider_id": self.demo.id,
                        "payment_method_id": self.demo.payment_method_ids[:1].id,
                        "provider_ref": "card",
                        "partner_id": holder.id,
                        "demo_simulated_state": "done",
                    }
                )
            )
            self.act_as("own")
            with self.subTest(holder=holder.name), self.undone():
                answer = self.pay_online(self.waiting, flow="token", token_id=token.id)
                self.assertEqual(answer, error)
                state = "sent" if error else "sale"
                self.assertEqual(self.waiting.state, state)

    # -- subsidiaries -------------------------------------------------------------

    def test_subsidiary(self):
        """R11.6: a company's user neither sees nor pays what a subsidiary that is a
        customer of its own buys and is charged; what else it buys is as core shows
        it."""
        holding = self._customer("Holding")
        self.customer.parent_id = holding
        self.users["holding"] = self._portal_user("pat", holding)
        mine = self.quotation(self.months, customer=holding)
        other = self.order(self.service)
        orders = self.sub.term_ids.sale_line_id.order_id | self.waiting
        invoices = orders.invoice_ids | self.charge.invoice_ids
        self.assertEqual(len(invoices), 2)
        mine.action_quotation_sent()
        other_invoice = self.bill(other)
        for role, documents, visible in (
            ("own", orders, orders),
            ("own", invoices, invoices),
            ("holding", orders | other | mine, other | mine),
            ("holding", invoices | other_invoice, other_invoice),
        ):
            with self.subTest(role=role, model=documents._name):
                self.act_as(role)
                domain = [("id", "in", documents.ids)]
                found, _error = self.rpc(documents._name, "search", domain)
                self.assertEqual(set(found), set(visible.ids))
                lines = "order_line" if "order_line" in documents else "line_ids"
                domain = [("id", "in", documents[lines].ids)]
                found, _error = self.rpc(documents[lines]._name, "search", domain)
                self.assertEqual(set(found), set(visible[lines].ids))
                for document in documents:
                    response = self.url_open(document.access_url, allow_redirects=False)
                    self.assertEqual(response.status_code == 200, document in visible)
                for path in ("/my/quotes", "/my/orders", "/my/invoices"):
                    text = self.url_open(path).text
                    for document in documents - visible:
                        self.assertNotIn(document.name, text)
        text = self.url_open("/my/incidents").text
        self.assertIn(mine.name, text)
        self.assertNotIn(self.waiting.name, text)
        for path in (
            f"/my/orders/{self.waiting.id}/transaction",
            f"/invoice/transaction/{self.charge.invoice_ids.id}",
        ):
            self.assertIn("error", self.call(path, access_token=None, amount=1))
        self.post(f"/my/orders/{self.waiting.id}/pay_from_balance")
        self.assertEqual(self.waiting.state, "sent")
        # A link is for whoever has it.
        page = self.url_open(self.waiting.get_portal_url())
        self.assertIn(self.waiting.name, page.text)

    def test_addresses_of_a_subsidiary(self):
        """R11.6: nor does it change the addresses of that customer."""
        holding = self._customer("Holding")
        self.customer.parent_id = holding
        self.users["holding"] = self._portal_user("pat", holding)
        address, own = self.env["res.partner"].create(
            [
                {"name": "Invoices", "type": "invoice", "parent_id": parent.id}
                for parent in (self.customer, holding)
            ]
        )
        for role, partner, status in (
            ("holding", address, 403),
            ("own", address, 200),
            ("holding", own, 200),
        ):
            self.act_as(role)
            with self.subTest(role=role, partner=partner.parent_id.name):
                response = self.url_open(f"/my/address?partner_id={partner.id}")
                self.assertEqual(response.status_code, status)
                answer = self.call("/my/address/archive", partner_id=partner.id)
                self.env.invalidate_all()
                self.assertEqual("error" in answer, status == 403)
                self.assertEqual(partner.active, status == 403)
                partner.active = True

    def test_orders_of_the_account(self):
        """R11.6, R12.1: the orders of a customer are those of its own contacts."""
        holding = self._customer("Holding")
        self.customer.parent_id = holding
        order = self.quotation(self.months, customer=holding)
        action = self.incident_account(holding).action_view_orders()
        self.assertEqual(self.env["sale.order"].search(action["domain"]), order)
        self.assertEqual(holding._incident_open_orders(self.company), order.browse())
        order.action_quotation_sent()
        self.assertEqual(holding._incident_open_orders(self.company), order)

    # -- bounds -------------------------------------------------------------------

    def test_orders_that_nobody_pays(self):
        """R11.4: a customer leaves no more than so many orders unpaid, by whatever
        page; paying one, or its expiry, makes room."""
        self.patch(sale_order_portal, "MAX_OPEN_ORDERS", 3)
        self.act_as("own")
        # What staff offers does not count.
        self.order(self.pack)
        for _other in range(3):
            self.quotation(self.pack, customer=self.customer).action_quotation_sent()
        count = len(self.orders())
        buy = "/my/incidents/buy/order"
        for number in ("3", "4"):
            self.send_page("extra", number=number)
        self.post(buy, plan=self.pack.id, quantity="1")
        self.assertEqual(len(self.orders()), count + 3)
        self.users["colleague"] = self._portal_user("nils", self.customer)
        for role in ("own", "colleague"):
            self.act_as(role)
            for page in (
                self.post(buy, plan=self.pack.id, quantity="7"),
                self.send_page("extra", number="7"),
                self.send_page("renew", plan=self.months.id, extra="0"),
                self.send_page("change", plan=self.business.id),
            ):
                self.assertIn("3 orders", self.text(page, "//*[@name='error']"))
        self.assertEqual(len(self.orders()), count + 3)
        # What waits already is shown again.
        self.act_as("own")
        self.send_page("extra", number="3")
        self.assertEqual(len(self.orders()), count + 3)
        # One is paid, and then one takes the place of the other.
        self.transaction(self.orders()[0])
        self.send_page("renew", plan=self.months.id, extra="0")
        self.send_page("renew", plan=self.months.id, extra="1")
        self.assertEqual(len(self.orders()), count + 5)
        for order in self.orders():
            order.validity_date = "2027-04-10"
        self.post(buy, plan=self.pack.id, quantity="9")
        self.assertEqual(len(self.orders()), count + 6)
        # Another customer does as it likes.
        self.act_as("foreign")
        self.post(buy, plan=self.pack.id, quantity="1")
        self.assertEqual(len(self.orders(self.other_customer)), 1)

    def send_page(self, page, **data):
        return self.post(self.path(self.sub, f"/{page}"), **data)

    def test_staff_orders_as_it_likes(self):
        """R11.4: the bound is for customers, not for who sells to them."""
        self.patch(sale_order_portal, "MAX_OPEN_ORDERS", 0)
        self.assertTrue(self.sub.with_user(self.users["agent"])._order_extra(9))

    def test_lists_of_orders(self):
        """R11.4: the page lists some, and leads to all others."""
        for _other in range(12):
            order = self.quotation(self.pack, customer=self.customer)
            order.action_quotation_sent()
        self.act_as("own")
        page = self.page("/my/incidents")
        rows = page.xpath("//*[@name='open_orders']//tbody/tr")
        self.assertEqual(len(rows), 10)
        [link] = page.xpath("//*[@name='open_orders']//a[@href='/my/quotes']")
        self.assertIn("13", " ".join(link.itertext()))
