package rdfcanon_test

import (
	"strconv"

	"github.com/staffpassport/staffpassport/internal/rdf"
)

func iri(s string) rdf.Term { return rdf.Term{Kind: rdf.IRI, Value: "urn:example:" + s} }

func blank(i int) rdf.Term { return rdf.Term{Kind: rdf.Blank, Value: "n" + strconv.Itoa(i)} }

func edge(from, to int) rdf.Quad {
	return rdf.Quad{Subject: blank(from), Predicate: iri("p"), Object: blank(to)}
}

// clique joins each of n nodes to every other.
func clique(n int) []rdf.Quad {
	var out []rdf.Quad
	for i := range n {
		for j := range n {
			if i != j {
				out = append(out, edge(i, j))
			}
		}
	}
	return out
}

// hubs joins m hubs to the same n leaves.
func hubs(m, n int) []rdf.Quad {
	var out []rdf.Quad
	for i := range m {
		for j := range n {
			out = append(out, edge(i, m+j))
		}
	}
	return out
}

// chain is a path of nodes that look alike.
func chain(n int) []rdf.Quad {
	var out []rdf.Quad
	for i := range n {
		out = append(out, edge(i, i+1))
	}
	return out
}

// twins are n pairs that look alike.
func twins(n int) []rdf.Quad {
	var out []rdf.Quad
	for i := range n {
		out = append(out, edge(2*i, 2*i+1))
	}
	return out
}

// graphs uses nodes in every place a node can have.
func graphs(n int) []rdf.Quad {
	var out []rdf.Quad
	for i := range n {
		for j := range n {
			q := edge(i, j)
			q.Graph = blank((i + j) % n)
			out = append(out, q)
		}
	}
	return out
}
