# The ledger: read these alone and believe them (docs/ledger.md).
from . import helpdesk_incident_ledger
from . import helpdesk_incident_account
from . import helpdesk_incident_allotment
from . import helpdesk_incident_entry

# What causes entries, and what shows them.
from . import helpdesk_ticket
from . import helpdesk_ticket_team
from . import res_company
from . import res_config_settings
from . import res_partner
