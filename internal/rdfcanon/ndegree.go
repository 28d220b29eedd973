package rdfcanon

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// An issuer gives the temporary labels b0, b1 and so on (section 4.3): the label
// of a node is its place.
type issuer []int32

func (r issuer) has(id int32) (int, bool) {
	i := slices.Index(r, id)
	return i, i >= 0
}

// A result is what hashNDegree returns for one node.
type result struct {
	hash   string
	issuer issuer
}

// labelRest is step 5 of section 4.4.3 for the nodes that share their hash, which
// come in the order of the hashes.
func (s *state) labelRest(nodes []int32) error {
	for len(nodes) > 0 {
		n := 1
		for n < len(nodes) && s.nodes[nodes[n]].first == s.nodes[nodes[0]].first {
			n++
		}
		var paths []result
		for _, id := range nodes[:n] {
			if s.nodes[id].canonical >= 0 {
				continue
			}
			r, err := s.hashNDegree(id, issuer{id})
			if err != nil {
				return err
			}
			paths = append(paths, r)
		}
		slices.SortStableFunc(paths, func(a, b result) int { return cmp.Compare(a.hash, b.hash) })
		for _, p := range paths {
			for _, id := range p.issuer {
				s.issue(id)
			}
		}
		nodes = nodes[n:]
	}
	return nil
}

// related are the nodes that one hash stands for (the map Hn).
type related struct {
	hash  string
	nodes []int32
}

// hashNDegree is section 4.8.3. It takes over r.
func (s *state) hashNDegree(id int32, r issuer) (result, error) {
	groups, err := s.related(id, r)
	if err != nil {
		return result{}, err
	}
	var data strings.Builder
	for _, g := range groups {
		data.WriteString(g.hash)
		var chosen candidate
		if len(g.nodes) == 1 {
			chosen, err = s.follow(g.nodes, r, "")
		} else {
			chosen, err = s.choose(g.nodes, r)
		}
		if err != nil {
			return result{}, err
		}
		data.WriteString(chosen.path)
		r = chosen.issuer
	}
	if err := s.step(); err != nil {
		return result{}, err
	}
	s.hash.Reset()
	s.input = append(s.input[:0], data.String()...)
	s.hash.Write(s.input)
	return result{s.sum(), r}, nil
}

// related is step 3: the nodes in the quads of id by their hashes, in order.
func (s *state) related(id int32, r issuer) ([]related, error) {
	var groups []related
	for _, i := range s.nodes[id].mentions {
		q := &s.quads[i]
		for place, other := range q.node {
			if other < 0 || other == id {
				continue
			}
			h, err := s.hashRelated(other, q, r, positions[place])
			if err != nil {
				return nil, err
			}
			at, found := slices.BinarySearchFunc(groups, h, func(g related, h string) int { return cmp.Compare(g.hash, h) })
			if !found {
				groups = slices.Insert(groups, at, related{hash: h})
			}
			groups[at].nodes = append(groups[at].nodes, other)
		}
	}
	return groups, nil
}

// hashRelated is section 4.7.3.
func (s *state) hashRelated(id int32, q *quad, r issuer, position byte) (string, error) {
	if err := s.step(); err != nil {
		return "", err
	}
	s.input = append(s.input[:0], position)
	if position != 'g' {
		s.input = append(append(append(s.input, '<'), q.predicate...), '>')
	}
	if n, ok := r.has(id); s.nodes[id].canonical >= 0 {
		s.input = strconv.AppendInt(append(s.input, "_:c14n"...), int64(s.nodes[id].canonical), 10)
	} else if ok {
		s.input = strconv.AppendInt(append(s.input, "_:b"...), int64(n), 10)
	} else {
		s.input = append(s.input, s.nodes[id].first...)
	}
	s.hash.Reset()
	s.hash.Write(s.input)
	return s.sum(), nil
}

// A candidate is the path of one permutation and the labels it gave. The issuer is
// nil if the path was given up.
type candidate struct {
	path   string
	issuer issuer
}

// choose is steps 5.2 to 5.4: the least path of all permutations of nodes. Where two
// paths are alike, which the specification leaves open, the permutation counts that
// comes first by the labels of the input, so that the order of the quads never does.
func (s *state) choose(nodes []int32, r issuer) (candidate, error) {
	var chosen candidate
	slices.SortFunc(nodes, s.compareLabels)
	for {
		c, err := s.follow(nodes, slices.Clone(r), chosen.path)
		if err != nil {
			return candidate{}, err
		}
		if c.issuer != nil && (chosen.path == "" || c.path < chosen.path) {
			chosen = c
		}
		if !s.nextPermutation(nodes) {
			return chosen, nil
		}
	}
}

// follow is steps 5.4.2 to 5.4.5 for one permutation. It takes over r.
func (s *state) follow(nodes []int32, r issuer, chosen string) (candidate, error) {
	worse := func(path []byte) bool {
		return chosen != "" && len(path) >= len(chosen) && string(path) > chosen
	}
	var path []byte
	var recursion []int32
	for _, id := range nodes {
		if err := s.step(); err != nil {
			return candidate{}, err
		}
		if c := s.nodes[id].canonical; c >= 0 {
			path = strconv.AppendInt(append(path, "_:c14n"...), int64(c), 10)
		} else {
			n, ok := r.has(id)
			if !ok {
				n = len(r)
				r = append(r, id)
				recursion = append(recursion, id)
			}
			path = strconv.AppendInt(append(path, "_:b"...), int64(n), 10)
		}
		if worse(path) {
			return candidate{}, nil
		}
	}
	for _, id := range recursion {
		n, _ := r.has(id)
		sub, err := s.hashNDegree(id, r)
		if err != nil {
			return candidate{}, err
		}
		path = strconv.AppendInt(append(path, "_:b"...), int64(n), 10)
		path = append(append(append(path, '<'), sub.hash...), '>')
		r = sub.issuer
		if worse(path) {
			return candidate{}, nil
		}
	}
	return candidate{string(path), r}, nil
}

func (s *state) compareLabels(a, b int32) int {
	return cmp.Compare(s.nodes[a].label, s.nodes[b].label)
}

// nextPermutation puts nodes into the next order of the dictionary, and reports
// false after the last. A node that is there twice changes no places with itself.
func (s *state) nextPermutation(nodes []int32) bool {
	i := len(nodes) - 2
	for i >= 0 && s.compareLabels(nodes[i], nodes[i+1]) >= 0 {
		i--
	}
	if i < 0 {
		return false
	}
	j := len(nodes) - 1
	for s.compareLabels(nodes[j], nodes[i]) <= 0 {
		j--
	}
	nodes[i], nodes[j] = nodes[j], nodes[i]
	slices.Reverse(nodes[i+1:])
	return true
}
