// Package jmespath evaluates Pigsty's selectors: JMESPath as Python's
// jmespath has it, over a cluster's members.
//
// go-jmespath parses. What it makes of an expression is then evaluated here
// and not by its own interpreter, because the two languages differ where it
// decides who gets traffic:
//
//   - a literal that is not JSON (`primary` in backticks) is a string in
//     Python and a syntax error in go-jmespath;
//   - 7000 and 7000.0 are different numbers to Python and print differently;
//   - Python orders strings, and fails on comparing a string to a number,
//     where go-jmespath gives null;
//   - an index after an index does not start a projection in Python;
//   - a member is not a JSON object to Python's functions, and strings taken
//     from YAML cannot be sorted by.
package jmespath
