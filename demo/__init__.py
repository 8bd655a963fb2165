from . import helpdesk_incident_account
