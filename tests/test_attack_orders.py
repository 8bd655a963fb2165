import json

from odoo.exceptions import UserError
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

    def offer_combo(self, products):
        """Return a quotation with an optional combo of these products."""
        combos = self.env["product.combo"].create(
            [
                {
                    "name": product.name,
                    "combo_item_ids": [Command.create({"product_id": product.id})],
                }
                for product in products
            ]
        )
        bundle = self.env["product.product"].create(
            {
                "name": "Bundle",
                "type": "combo",
                "list_price": sum(products.mapped("lst_price")),
                "taxes_id": [Command.clear()],
                "combo_ids": [Command.set(combos.ids)],
            }
        )
        order = self.offer((bundle, 1, 0))
        bundle_line = order.order_line[-1]
        order.order_line = [
            Command.create(
                {
                    "product_id": item.product_id.id,
                    "product_uom_qty": 1,
                    "combo_item_id": item.id,
                    "linked_line_id": bundle_line.id,
                }
            )
            for item in combos.combo_item_ids
        ]
        return order, bundle_line, bundle_line.linked_line_ids

    def test_more_of_a_combo(self):
        """R8.3: a combo that costs nothing gives no more than is offered; one that
        costs something is sold as often as it is wanted, with what is in it."""
        order, line, item = self.offer_combo(self.gift)
        self.assertEqual((order.amount_total, item.incident_units), (450, 1))
        self.act_as("own")
        self.assertEqual(self.update(line, 500), REFUSED)
        self.assertEqual((line | item).mapped("product_uom_qty"), [1, 1])
        self.assertIsNone(self.update(line, 0))
        self.assertIsNone(self.update(line, 1))
        self.assertEqual(item.incident_units, 1)

        order, line, items = self.offer_combo(self.gift | self.day)
        self.assertEqual(order.amount_total, 500)
        self.assertIsNone(self.update(line, 4))
        self.assertEqual(order.amount_total, 650)
        self.assertEqual(sum(items.mapped("incident_units")), 4)
        # What is free in it is not to be had without the rest.
        gift = items.filtered("incident_kind")
        with self.assertRaises(UserError):
            gift.with_user(self.user).sudo().product_uom_qty = 5

    def test_prices_below_a_cent(self):
        """R8.3: what a line costs in all is what counts: thousands of less than a cent
        are money, to either side."""
        order = self.offer((self.day, 1, -0.01), (self.gift, 1, 0.01))
        discount, plan = order.order_line[-2:]
        (discount | plan).discount = 60
        self.assertEqual(order.amount_total, 450)
        self.act_as("own")
        self.assertEqual(self.update(discount, 100000), REFUSED)
        self.assertEqual(order.amount_total, 450)
        self.assertIsNone(self.update(plan, 1))
        self.assertEqual(order.amount_total, 450)
        self.assertIsNone(self.update(plan, 1000))
        self.assertEqual(order.amount_total, 454)
        # A gift by its discount, not by its price.
        plan.write({"price_unit": 60, "discount": 100})
        self.assertEqual(self.update(plan, 1001), REFUSED)
        self.assertIsNone(self.update(plan, 1000))

    def test_lines_that_are_not_optional(self):
        """R8.3: wherever a line stands, by whatever route: no share user gets more of
        a discount, or of a plan for nothing."""
        for product, price in ((self.day, -20), (self.gift, 0)):
            order = self.offer((self.day, 1, 50))
            order.order_line = [
                Command.create(
                    {"display_type": "line_section", "name": "Fixed", "sequence": 20}
                ),
                Command.create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": 2,
                        "sequence": 21,
                    }
                ),
            ]
            line = order.order_line.filtered(lambda line: line.product_uom_qty == 2)
            line.price_unit = price
            self.assertFalse(line._can_be_edited_on_portal())
            total = order.amount_total
            for user in (self.user, self.env.ref("base.public_user").sudo()):
                asked = line.with_user(user).sudo()
                with self.subTest(price=price, user=user.login):
                    with self.assertRaises(UserError):
                        asked.product_uom_qty = 20
                    self.assertEqual(order.amount_total, total)
                    asked.product_uom_qty = 2

    def test_what_was_there_before_the_plan(self):
        """R8.3: what was asked for while the order had no plan does not make the plan
        cheaper; nor does what comes with it."""
        rebate = self.plan("Rebate", -20)
        for product, quantity, added in (
            (self.day, -1, (self.pack, 1)),
            (rebate, 20, (self.pack, 1)),
            (self.day, 1, (self.gift, 5)),
        ):
            order = self.env["sale.order"].create({"partner_id": self.customer.id})
            lines = order.order_line.with_user(self.user).sudo()
            lines.create(
                {
                    "order_id": order.id,
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                }
            )
            product, quantity = added
            values = {"product_id": product.id, "product_uom_qty": quantity}
            with self.subTest(**values), self.assertRaises(UserError):
                lines.create({"order_id": order.id, **values})
            order.order_line.product_uom_qty = 1
            plan = lines.create({"order_id": order.id, "product_id": product.id})
            self.assertTrue(order.incident_has_plan)
            with self.assertRaises(UserError):
                plan.product_uom_qty = -1

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

    def card(self, holder):
        """Return a card that somebody has saved."""
        card = (
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
        card.payment_details = f"number {card.id}"
        return card

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
            token = self.card(holder)
            self.act_as("own")
            with self.subTest(holder=holder.name), self.undone():
                answer = self.pay_online(self.waiting, flow="token", token_id=token.id)
                self.assertEqual(answer, error)
                state = "sent" if error else "sale"
                self.assertEqual(self.waiting.state, state)

    def test_cards_that_a_link_offers(self):
        """R11.6: whoever has the link, and is not logged in, pays with the cards that
        the order's page shows: of its customer or of who gets the bill. Nobody else's
        can be named."""
        order = self.quotation(self.pack, customer=self.user.partner_id)
        billing, colleague = self.env["res.partner"].create(
            [
                {"name": name, "type": type_, "parent_id": self.customer.id}
                for name, type_ in (("Billing", "invoice"), ("Nils", "contact"))
            ]
        )
        order.partner_invoice_id = billing
        order.action_quotation_sent()
        for holder, offered, error in (
            (self.user.partner_id, True, None),
            (billing, False, None),
            (self.customer, False, REFUSED),
            (colleague, False, REFUSED),
        ):
            card = self.card(holder)
            with self.subTest(holder=holder.name), self.undone():
                self.act_as("public")
                page = self.url_open(order.get_portal_url() + "&allow_payment=yes")
                self.assertEqual(f"number {card.id}" in page.text, offered)
                answer = self.pay_online(order, flow="token", token_id=card.id)
                self.assertEqual(answer, error)
                self.assertEqual(order.state, "sent" if error else "sale")

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

    def test_invoices_of_a_subsidiary(self):
        """R11.6: nor does a company's user see any other invoice about a subsidiary's
        plans or charges, whoever typed it: of a down payment, without an order, credit
        notes. What is about something else is as core shows it."""
        holding = self._customer("Holding")
        self.customer.parent_id = holding
        self.users["holding"] = self._portal_user("pat", holding)
        ordered = self.order(self.pack)
        wizard = self.env["sale.advance.payment.inv"].create(
            {
                "advance_payment_method": "percentage",
                "amount": 50,
                "sale_order_ids": ordered.ids,
            }
        )
        down_payment = wizard._create_invoices(ordered)
        old = self.plan("Not sold any more", 60, "lifetime", 10)
        typed = {
            name: self.typed(product, move_type)
            for name, product, move_type in (
                ("plan", self.pack, "out_invoice"),
                ("archived plan", old, "out_invoice"),
                ("credit of a plan", self.pack, "out_refund"),
                ("something else", self.service, "out_invoice"),
                ("credit of something else", self.service, "out_refund"),
                ("credit of the invoice", self.service, "out_refund"),
                ("credit of the charge", self.service, "out_refund"),
            )
        }
        typed[
            "credit of the invoice"
        ].reversed_entry_id = self.sub.term_ids.sale_line_id.invoice_lines.move_id[:1]
        typed["credit of the charge"].reversed_entry_id = self.charge.invoice_ids[:1]
        typed["down payment"] = down_payment
        for move in typed.values():
            move.action_post()
        old.active = False
        moves = self.env["account.move"].concat(*typed.values())
        shown = typed["something else"] | typed["credit of something else"]
        for role, visible in (("own", moves), ("holding", shown)):
            self.act_as(role)
            for documents, seen in (
                (moves, visible),
                (moves.line_ids, visible.line_ids),
            ):
                domain = [("id", "in", documents.ids)]
                found, _error = self.rpc(documents._name, "search", domain)
                found = documents.browse(found)
                moves_found = found if found._name == moves._name else found.move_id
                names = [name for name, move in typed.items() if move in moves_found]
                with self.subTest(role=role, found=names):
                    self.assertEqual(set(found), set(seen))

    def typed(self, product, move_type):
        """Return an invoice or credit note that an accountant has typed."""
        return self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.customer.id,
                "invoice_line_ids": [
                    Command.create(
                        {"product_id": product.id, "quantity": 1, "price_unit": 60}
                    )
                ],
            }
        )

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
