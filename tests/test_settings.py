from lxml import etree

from .common import PaidSupportCommon

FIELDS = {
    "incident_registration_quantity": 1,
    "incident_first_payment_quantity": 2,
    "incident_topup_quantity": 3,
    "incident_topup_amount": 100.0,
    "incident_expired_return": "lifetime",
    "incident_return_on_duplicate": False,
    "incident_charge_tax_included": False,
}


class TestSettings(PaidSupportCommon):
    def test_one_block_each_explained(self):
        """R12.5: all in one place, each in a setting with a sentence of help."""
        arch = self.env["res.config.settings"].get_view(
            self.env.ref("base.res_config_settings_view_form").id, "form"
        )["arch"]
        [block] = etree.fromstring(arch).xpath("//block[@name='paid_support']")
        for name in FIELDS:
            [setting] = block.xpath(f".//setting[.//field[@name='{name}']]")
            self.assertTrue(setting.get("help").endswith("."), name)

    def test_every_setting_explained(self):
        """R12.5: whatever stands in the block, of which each may have more fields."""
        arch = self.env["res.config.settings"].get_view(
            self.env.ref("base.res_config_settings_view_form").id, "form"
        )["arch"]
        [block] = etree.fromstring(arch).xpath("//block[@name='paid_support']")
        settings = block.xpath(".//setting")
        self.assertGreater(len(settings), len(FIELDS))
        for setting in settings:
            self.assertTrue(setting.get("help").endswith("."), setting.get("id"))
        shown = {field.get("name") for field in block.iter("field")}
        fields = self.env["res.config.settings"]._fields
        self.assertFalse({name for name in fields if "incident_" in name} - shown)

    def test_each_company_its_own(self):
        """R6, R12.5: what is saved is the company's."""
        company_b = self.env["res.company"].create({"name": "B"})
        settings = self.env["res.config.settings"].create(dict(FIELDS))
        settings.execute()
        for name, value in FIELDS.items():
            self.assertEqual(self.company[name], value, name)
            self.assertNotEqual(company_b[name], value, name)
