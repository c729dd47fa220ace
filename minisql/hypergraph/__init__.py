"""hypergraph"""
