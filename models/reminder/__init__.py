from . import helpdesk_incident_reminder
