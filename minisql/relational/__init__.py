"""relational"""
