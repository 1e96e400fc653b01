"""Code for GPUs only: fused kernels, captured calls, segments on the device.

Attached from outside: nothing in the models knows of it.
"""
