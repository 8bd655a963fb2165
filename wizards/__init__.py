from . import account_move_reversal
from . import account_payment_register
from . import base_partner_merge
from . import helpdesk_incident_adjust
from . import helpdesk_incident_onboarding
from . import helpdesk_incident_subscription_order
from . import helpdesk_incident_unearned_wizard
from . import helpdesk_ticket_charge_wizard
