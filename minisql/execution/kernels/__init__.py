"""execution/kernels"""
