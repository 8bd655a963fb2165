from . import account_check
from . import check_ledger
from . import check_orders
from . import check_documents
from . import check_releases
from . import check_openings
from . import helpdesk_incident_difference
