"""The groups that fields and methods name (R14)."""

#: Staff who may see how much customers hold, salespeople included; portal users have
#: their own pages.
INCIDENT_VIEWERS = "helpdesk_paid_support.group_incident_viewer"
#: Staff who may see all of it: where it has come from and gone to.
INCIDENT_READERS = "helpdesk_paid_support.group_incident_reader"
#: Whoever may adjust, configure and cancel (R7.3).
MANAGERS = "helpdesk_mgmt.group_helpdesk_manager"
#: Whoever may charge customers in tickets (R10.5).
CHARGERS = "helpdesk_paid_support.group_ticket_charge"
#: Whoever may post invoices and payments.
BOOKKEEPERS = "account.group_account_invoice"
#: Whoever may read journal entries.
ACCOUNTANTS = "account.group_account_invoice,account.group_account_readonly"
#: Whoever may post what is not an invoice (R21.1).
RELEASERS = "account.group_account_user,account.group_account_manager"
