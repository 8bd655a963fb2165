from . import helpdesk_incident_threshold
from . import helpdesk_incident_reminder
from . import reminder_occasions
from . import reminder_sending
from . import reminder_returned
from . import reminder_taken
from . import reminder_low
from . import helpdesk_incident_account
