package main

// classes are the known disagreements on mutants: who is right, and why.
var classes = map[string]string{}
