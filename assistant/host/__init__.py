"""What an administrator needs around the product on the machine itself: certificate, passwords, firewall, units.

Knows files and programs of the machine, never documents or questions.
"""
