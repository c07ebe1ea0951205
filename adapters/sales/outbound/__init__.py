"""The dialects of sales: `sales_lead.py` (a `salesLead` in the manner of TM Forum's version 4 APIs).

Each is an `adapters.sales.Sales` over a transport. A dialect never knows another.

Example: `SalesLeads(transport)` over `https://HOST/tmf-api/sales/v4`.
"""
