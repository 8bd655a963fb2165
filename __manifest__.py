# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Paid Technical Support",
    "summary": "Sell technical support by the incident and deduct one per ticket",
    "version": "19.0.1.0.0",
    "category": "Services/Helpdesk",
    "license": "AGPL-3",
    "author": "Paid Technical Support contributors",
    "depends": [
        "helpdesk_mgmt",
        "sale_management",
        "account_payment",
        "portal",
    ],
    "data": [
        "security/helpdesk_paid_support_groups.xml",
        "security/helpdesk_paid_support_rules.xml",
        "security/ir.model.access.csv",
        "data/ir_cron.xml",
        "wizards/helpdesk_incident_adjust_views.xml",
        "views/helpdesk_incident_account_views.xml",
        "views/helpdesk_incident_entry_views.xml",
        "views/helpdesk_incident_fault_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/helpdesk_ticket_team_views.xml",
        "views/account_payment_views.xml",
        "views/res_partner_views.xml",
        "views/res_config_settings_views.xml",
        "views/helpdesk_paid_support_menus.xml",
        "views/portal_templates.xml",
    ],
    "demo": ["demo/helpdesk_paid_support_demo.xml"],
    "assets": {
        "web.assets_frontend": [
            "helpdesk_paid_support/static/src/interactions/**/*",
        ],
        "web.assets_tests": [
            "helpdesk_paid_support/static/tests/tours/**/*",
        ],
    },
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "application": True,
}
