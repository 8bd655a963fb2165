from odoo import SUPERUSER_ID, api

#: The record rules that let users of a branch see the account of its root company.
RULES = [
    "helpdesk_incident_account_rule_company",
    "helpdesk_incident_allotment_rule_company",
    "helpdesk_incident_entry_rule_company",
    "helpdesk_incident_difference_rule_company",
    "helpdesk_incident_subscription_rule_company",
    "helpdesk_incident_subscription_term_rule_company",
    "helpdesk_incident_reminder_rule_company",
    "helpdesk_incident_purchase_rule_company",
    "helpdesk_incident_unearned_rule_company",
    "helpdesk_incident_unearned_month_rule_company",
]
OLD = 'company_id", "in", company_ids)]'
NEW = 'company_id", "parent_of", company_ids)]'
#: Those that keep from customers what others were invoiced.
INVOICES = ["account_move_rule_share", "account_move_line_rule_share"]
PLANS, ALL_PLANS = '("lifetime", "period")', '("lifetime", "pack", "period")'


def migrate(cr, version):
    """Let a company and its branches be one legal entity (R2.3), and keep packs from
    other customers as all plans (R11.6, R15.1)."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["helpdesk.incident.account"]._merge_branches()
    for name in RULES:
        rule = env.ref(f"helpdesk_paid_support.{name}", raise_if_not_found=False)
        # What users have changed stays as it is.
        if rule and rule.domain_force.strip().endswith(OLD):
            rule.domain_force = rule.domain_force.replace(OLD, NEW)
    for name in INVOICES:
        rule = env.ref(f"helpdesk_paid_support.{name}", raise_if_not_found=False)
        if rule and PLANS in rule.domain_force:
            rule.domain_force = rule.domain_force.replace(PLANS, ALL_PLANS)
