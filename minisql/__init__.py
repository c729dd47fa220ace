"""minisql"""
