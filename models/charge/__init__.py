from . import account_move
from . import helpdesk_ticket_charge
from . import charge_amounts
from . import charge_requests
from . import charge_obstacles
from . import charge_documents
from . import charge_notices
from . import helpdesk_ticket
