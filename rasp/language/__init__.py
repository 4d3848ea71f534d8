"""The RASP language: lexer, parser and syntax tree."""
