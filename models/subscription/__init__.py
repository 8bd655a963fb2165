from . import helpdesk_incident_subscription
from . import helpdesk_incident_subscription_term
from . import subscription_settle
from . import subscription_orders
from . import subscription_renewal
