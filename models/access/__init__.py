from . import account_move_line
from . import base
from . import helpdesk_incident_naming
from . import ir_attachment
from . import mail_message
from . import mail_thread
