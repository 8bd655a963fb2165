from . import helpdesk_incident_customer_balance
from . import helpdesk_incident_position
from . import helpdesk_incident_returned
from . import helpdesk_incident_unearned
from . import helpdesk_incident_unearned_month
from . import helpdesk_incident_unearned_part
from . import helpdesk_incident_used
from . import sale_report
