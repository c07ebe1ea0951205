"""The dialects of performance monitoring: `tmf628.py` (TM Forum's API, version 4), and `tmf628_resource.py`, the job as it is there.

What was measured is read by `tmf628_measurements.py`; `tmf628_measurement.py` is what is believed of one.

Each is a `adapters.performance_management.PerformanceManagement` over a transport. A dialect never knows another.

Example: `Tmf628(transport, Measuring())` over `https://HOST/tmf-api/performance/v4`.
"""
