// Package layers holds the rules the module's source must keep, as tests: which
// package may import which, and what no package may do. It has no code.
package layers
