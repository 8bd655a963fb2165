from . import helpdesk_incident_adjust
