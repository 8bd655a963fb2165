"""Runs in Odoo's shell: the data of a released version, and what works with it after an
update."""
