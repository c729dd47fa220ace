"""query_block"""
