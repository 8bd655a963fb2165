{
    "name": "Paid Technical Support: Seams",
    "summary": "What an integrator may do, for the tests",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "website": "https://example.com",
    "author": "The tests",
    "license": "AGPL-3",
    "depends": ["helpdesk_paid_support"],
    "data": ["security/ir.model.access.csv"],
}
