# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
{
    "name": "Paid Technical Support: Merged Tickets",
    "summary": "The ticket that stays takes over the incidents of those merged into it",
    "version": "19.0.1.0.0",
    "category": "Services/Helpdesk",
    "license": "AGPL-3",
    "author": "Paid Technical Support contributors",
    "depends": ["helpdesk_paid_support", "helpdesk_mgmt_merge"],
    "data": ["views/helpdesk_ticket_views.xml"],
    "auto_install": True,
}
