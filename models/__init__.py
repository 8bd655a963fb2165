# The ledger: read these alone and believe them (docs/ledger.md).
from . import helpdesk_incident_ledger
from . import helpdesk_incident_account
from . import helpdesk_incident_allotment
from . import helpdesk_incident_entry
from . import helpdesk_incident_settle
from . import helpdesk_incident_use
from . import helpdesk_incident_time
from . import helpdesk_incident_merge
from . import helpdesk_incident_statement

# What happens when incidents arrive.
from . import helpdesk_incident_release

# What gives incidents.
from . import helpdesk_incident_memory
from . import helpdesk_incident_cause
from . import helpdesk_incident_fault
from . import helpdesk_incident_topup
from . import helpdesk_incident_first_payment
from . import account_move
from . import account_move_line
from . import account_partial_reconcile
from . import account_payment
from . import res_users

# What is sold.
from . import product_product
from . import product_template
from . import helpdesk_incident_purchase
from . import sale_order_line
from . import sale_order
from . import sale_order_payment
from . import sale_order_portal
from . import account_payment_bought
from . import payment_transaction
from . import helpdesk_incident_subscription
from . import helpdesk_incident_subscription_term
from . import helpdesk_incident_subscription_settle
from . import helpdesk_incident_subscription_order
from . import helpdesk_incident_subscription_renewal
from . import helpdesk_incident_reminder
from . import helpdesk_incident_forecast
from . import helpdesk_incident_overview
from . import helpdesk_incident_analysis

# What uses and shows them.
from . import helpdesk_ticket
from . import helpdesk_ticket_team
from . import helpdesk_ticket_parked
from . import helpdesk_ticket_mail
from . import mail_thread
from . import ir_http
from . import mail_message
from . import account_move_charge
from . import helpdesk_ticket_charge
from . import helpdesk_ticket_charge_check
from . import helpdesk_ticket_charge_document
from . import helpdesk_ticket_charge_notice
from . import helpdesk_ticket_charged

# What looks whether all of it agrees.
from . import helpdesk_incident_check
from . import helpdesk_incident_check_document
from . import helpdesk_incident_difference

# What it shows elsewhere, and is set up with.
from . import res_company
from . import res_config_settings
from . import res_partner
from . import res_partner_address
from . import res_partner_balance
