from . import helpdesk_incident_topup
from . import topup_buying
from . import topup_trigger
from . import helpdesk_incident_account
from . import sale_order
from . import payment_transaction
