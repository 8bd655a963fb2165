from . import account_move_line
from . import helpdesk_incident_purchase
from . import helpdesk_incident_release
from . import helpdesk_incident_release_line
from . import release_entries
from . import release_report
