from . import account_check
from . import check_documents
from . import helpdesk_incident_difference
