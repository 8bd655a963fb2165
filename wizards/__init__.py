from . import account_move_reversal
from . import base_partner_merge
from . import helpdesk_incident_adjust
