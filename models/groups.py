"""The groups that fields and methods name (R14)."""

#: Staff who may see what customers hold; portal users have their own pages.
INCIDENT_READERS = "helpdesk_paid_support.group_incident_reader"
#: Whoever may adjust, configure and cancel (R7.3).
MANAGERS = "helpdesk_mgmt.group_helpdesk_manager"
#: Whoever may charge customers in tickets (R10.5).
CHARGERS = "helpdesk_paid_support.group_ticket_charge"
#: Whoever may read journal entries.
ACCOUNTANTS = "account.group_account_invoice,account.group_account_readonly"
