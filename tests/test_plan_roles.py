from odoo.tests import HttpCase, new_test_user, tagged

from .common import PaidSupportCommon, call_rpc

#: What a helpdesk manager may not do to any product but those of support.
MODELS = (
    *("product.category", "product.combo", "product.document", "product.pricelist"),
    *("product.pricelist.item", "product.supplierinfo", "product.tag", "product.uom"),
    *("product.template.attribute.exclusion", "update.product.attribute.value"),
    "uom.uom",
)


@tagged("post_install", "-at_install")
class TestPlanRoles(PaidSupportCommon, HttpCase):
    """R14: helpdesk managers make and change plans and what extra incidents cost, and
    no other product."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        templates = cls.env["product.template"]
        service = {"type": "service", "invoice_policy": "order"}
        cls.extra, cls.other = templates.create(
            [
                {**service, "name": "Extra incident", "list_price": 5},
                {**service, "name": "Server", "list_price": 5000},
            ]
        )
        cls.term = cls.env["product.attribute"].create(
            {
                "name": "Term",
                "value_ids": [(0, 0, {"name": "Short"}), (0, 0, {"name": "Long"})],
            }
        )
        line = {
            "attribute_id": cls.term.id,
            "value_ids": [(6, 0, cls.term.value_ids.ids)],
        }
        cls.plan = templates.create(
            {
                **service,
                "name": "Plan",
                "list_price": 50,
                "incident_kind": "lifetime",
                "incident_quantity": 5,
                "incident_extra_product_id": cls.extra.product_variant_id.id,
                "attribute_line_ids": [(0, 0, line)],
            }
        )
        cls.other.attribute_line_ids = [(0, 0, line)]
        cls.product_manager = new_test_user(
            cls.env,
            "hps-both",
            groups="base.group_user,product.group_product_manager,"
            "helpdesk_mgmt.group_helpdesk_manager",
        )
        cls.env.flush_all()

    def rpc(self, model, method, *args, **kwargs):
        """Return the result, and the name of the exception if there was one."""
        response = call_rpc(self, model, method, *args, **kwargs)
        if "error" in response:
            return None, response["error"]["data"]["name"].rpartition(".")[2]
        self.env.invalidate_all()
        return response.get("result"), None

    def assertDone(self, *call, **values):
        result, error = self.rpc(*call, **values)
        self.assertFalse(error)
        return result

    def assertForbidden(self, *call, **values):
        result, error = self.rpc(*call, **values)
        self.assertIsNone(result)
        # Of some models there may be no record 1, which is found out before.
        self.assertIn(error, ("AccessError", "MissingError"))

    def act_as(self, user):
        self.authenticate(user.login, user.login)

    # -- other products ---------------------------------------------------------------

    def test_other_products(self):
        """Neither price, nor anything else, of a product that sells no support."""
        self.act_as(self.manager)
        other, variant = self.other, self.other.product_variant_ids[0]
        values = other.attribute_line_ids.product_template_value_ids[:1]
        for call in (
            ("product.template", "write", other.ids, {"list_price": 1}),
            ("product.template", "write", other.ids, {"incident_is_support": True}),
            ("product.template", "write", other.ids, {"incident_kind": "lifetime"}),
            (
                "product.template",
                "write",
                other.ids,
                {"incident_extra_product_id": self.extra.product_variant_id.id},
            ),
            ("product.template", "web_save", other.ids, {"list_price": 1}, {}),
            ("product.template", "unlink", other.ids),
            ("product.template", "copy", other.ids),
            ("product.template", "action_archive", other.ids),
            ("product.product", "write", variant.ids, {"lst_price": 1}),
            ("product.product", "write", variant.ids, {"standard_price": 1}),
            ("product.product", "write", variant.ids, {"incident_kind": "lifetime"}),
            ("product.product", "unlink", variant.ids),
            (
                "product.template.attribute.value",
                "write",
                values.ids,
                {"price_extra": -100},
            ),
            (
                "product.template.attribute.line",
                "create",
                {
                    "product_tmpl_id": other.id,
                    "attribute_id": self.term.id,
                    "value_ids": [(6, 0, self.term.value_ids.ids)],
                },
            ),
            ("product.template.attribute.line", "unlink", other.attribute_line_ids.ids),
            ("product.attribute", "write", self.term.ids, {"name": "x"}),
            (
                "product.attribute.value",
                "write",
                self.term.value_ids.ids,
                {"default_extra_price": 9},
            ),
            (
                "product.attribute.value",
                "create",
                {
                    "name": "x",
                    "attribute_id": self.term.id,
                    "pav_attribute_line_ids": [(4, other.attribute_line_ids.id)],
                },
            ),
            ("product.template", "create", {"name": "Chair", "list_price": 1}),
            ("product.product", "create", {"name": "Chair", "list_price": 1}),
            (
                "product.product",
                "create",
                {
                    "product_tmpl_id": other.id,
                    "incident_kind": "lifetime",
                    "incident_quantity": 1,
                },
            ),
        ):
            with self.subTest(call=call):
                self.assertForbidden(*call)
        self.assertEqual(self.other.list_price, 5000)

    def test_no_product_becomes_ones_own(self):
        """Nor by offering another product with a plan, or by making it one."""
        self.act_as(self.manager)
        variant, plan = self.other.product_variant_ids[0], self.plan
        extra = {"incident_extra_product_id": variant.id}
        self.assertForbidden("product.template", "write", plan.ids, extra)
        self.assertForbidden("product.template", "write", plan.ids, extra, context={})
        self.assertForbidden(
            "product.template",
            "create",
            {
                "name": "Mine",
                "incident_kind": "lifetime",
                "incident_quantity": 1,
                **extra,
            },
        )
        # A variant that moves takes nothing of the other product along.
        moved = plan.product_variant_ids[0]
        self.rpc("product.product", "write", moved.ids, {"product_tmpl_id": variant.id})
        for model, product in (
            ("product.template", self.other),
            ("product.product", variant),
        ):
            self.assertForbidden(model, "write", product.ids, {"list_price": 1})
        self.assertFalse(self.other.incident_is_support)

    def test_what_else_sets_prices(self):
        """Nor price lists, categories, units and what else belongs to all products."""
        self.act_as(self.manager)
        for model in MODELS:
            for method, *arguments in (
                ("create", {"name": "x"}),
                ("write", [1], {"sequence": 1}),
                ("unlink", [1]),
            ):
                with self.subTest(model=model, method=method):
                    self.assertForbidden(model, method, *arguments)
        plan = self.plan.product_variant_id
        self.assertForbidden(
            "product.pricelist.item",
            "create",
            {
                "product_id": plan.id,
                "fixed_price": 1,
                "applied_on": "0_product_variant",
            },
        )

    # -- plans ------------------------------------------------------------------------

    def test_plans(self):
        """A plan is changed, sold, archived, copied and deleted."""
        self.act_as(self.manager)
        plan = self.plan
        for values in (
            {"list_price": 60, "name": "Better plan", "default_code": "P"},
            {"incident_portal_published": True},
            {"incident_extra_product_id": False},
        ):
            self.assertDone("product.template", "write", plan.ids, values)
        self.assertEqual((plan.list_price, plan.name), (60, "Better plan"))
        variant = plan.product_variant_ids[0]
        self.assertDone("product.product", "write", variant.ids, {"lst_price": 70})
        self.assertDone(
            "product.product", "write", variant.ids, {"incident_quantity": 7}
        )
        self.assertEqual(variant.incident_quantity, 7)
        price = plan.attribute_line_ids.product_template_value_ids[:1]
        model = price._name
        self.assertDone(model, "write", price.ids, {"price_extra": 20})
        self.assertEqual(price.price_extra, 20)
        copies = self.assertDone("product.template", "copy", plan.ids)
        self.assertDone("product.template", "action_archive", copies)
        self.assertDone("product.template", "unlink", copies)

    def test_new_plans(self):
        """A plan is made, with its variants, and what extra incidents of it cost."""
        self.act_as(self.manager)
        [value] = self.assertDone(
            "product.attribute.value",
            "create",
            [{"name": "Longest", "attribute_id": self.term.id}],
        )
        line = {
            "attribute_id": self.term.id,
            "value_ids": [(6, 0, [*self.term.value_ids.ids, value])],
        }
        [extra] = self.assertDone(
            "product.product",
            "create",
            [{"name": "One more", "list_price": 3, "type": "service"}],
            context={"default_incident_is_support": True},
        )
        for vals in (
            {"incident_kind": "lifetime", "incident_quantity": 5, "weight": 1},
            {
                "incident_kind": "period",
                "incident_quantity": 5,
                "incident_term_months": 3,
                "default_code": "X",
                "incident_extra_product_id": extra,
                "attribute_line_ids": [(0, 0, line)],
            },
        ):
            [plan] = self.assertDone(
                "product.template",
                "create",
                [{"name": "New", "list_price": 9, "invoice_policy": "order", **vals}],
            )
            template = self.env["product.template"].browse(plan)
            self.assertTrue(template.incident_is_support)
            self.assertEqual(
                set(template.product_variant_ids.mapped("incident_kind")),
                {vals["incident_kind"]},
            )
            self.assertDone("product.template", "write", [plan], {"list_price": 10})
        # One more variant of it.
        self.assertEqual(len(template.product_variant_ids), 3)
        more = {"name": "Other", "attribute_id": self.term.id}
        [value] = self.assertDone("product.attribute.value", "create", [more])
        line = template.attribute_line_ids
        self.assertDone(line._name, "write", line.ids, {"value_ids": [(4, value)]})
        self.assertEqual(len(template.product_variant_ids), 4)
        # A variant by itself.
        [variant] = self.assertDone(
            "product.product",
            "create",
            [{"name": "Alone", "incident_kind": "lifetime", "incident_quantity": 2}],
        )
        self.assertDone("product.product", "write", [variant], {"list_price": 4})

    def test_extra_incidents(self):
        """What extra incidents of a plan cost, as long as they are those of a plan."""
        self.act_as(self.manager)
        extra = self.extra
        self.assertTrue(extra.incident_is_support)
        self.assertDone("product.template", "write", extra.ids, {"list_price": 6})
        self.assertDone(
            "product.product", "write", extra.product_variant_id.ids, {"lst_price": 7}
        )
        self.assertEqual(extra.list_price, 7)
        self.plan.incident_extra_product_id = False
        self.env.flush_all()
        self.assertFalse(extra.incident_is_support)
        self.assertForbidden("product.template", "write", extra.ids, {"list_price": 6})

    def test_product_that_is_a_plan_no_more(self):
        self.plan.product_variant_ids.incident_kind = "none"
        self.assertFalse(self.plan.incident_is_support)
        self.env.flush_all()
        self.act_as(self.manager)
        self.assertForbidden(
            "product.template", "write", self.plan.ids, {"list_price": 1}
        )

    def test_who_manages_products(self):
        """Who has the right to products keeps it."""
        self.act_as(self.product_manager)
        for product in (self.plan, self.extra, self.other):
            self.assertDone("product.template", "write", product.ids, {"list_price": 8})
        variant = self.other.product_variant_ids[0]
        self.assertDone(
            "product.template",
            "write",
            self.plan.ids,
            {"incident_extra_product_id": variant.id},
        )
        self.assertTrue(self.other.incident_is_support)
        self.assertDone("product.template", "create", [{"name": "Chair"}])
