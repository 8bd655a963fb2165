from . import helpdesk_incident_purchase
